import { sql } from "kysely";
import type { Transaction } from "../database/connection.ts";
import type { RunRow } from "./rows.ts";

/** What GitHub shows something about. The state is rendered when it is sent, so an overtaken one is never said. */
export type Subject =
  /** One check's commit status, or one deployment and its status. */
  | { readonly kind: "run"; readonly id: number }
  /** The aggregate status of a commit. */
  | { readonly kind: "commit"; readonly sha: string }
  /** The status of a commit's repository file. */
  | { readonly kind: "file"; readonly sha: string }
  /** The comment on a pull request that tells of its previews. */
  | { readonly kind: "previews"; readonly pullRequest: number }
  /** A preview's environment at GitHub, which goes when nothing of the preview is left. */
  | { readonly kind: "environment"; readonly name: string };

/** Says that a subject has changed, in the same transaction as the change; the reporter does the rest. */
export async function raise(tx: Transaction, repository: number, subjects: readonly Subject[]): Promise<void> {
  if (subjects.length === 0) return;
  // A repository without chats costs no second write.
  const isQuiet = sql<boolean>`(select tells from repository where id = ${repository}) % 4 = 0`;
  await tx.db
    .insertInto("report")
    .values(
      subjects.map((subject) => ({
        subject: subjectToText(repository, subject),
        repository,
        wanted: 1,
        sent: 0,
        said: null,
        attempts: 0,
        not_before: 0,
        problem: null,
        holder: null,
        told: sql<number>`case when ${isQuiet} then 1 else 0 end`,
      })),
    )
    .onConflict((conflict) =>
      conflict.column("subject").doUpdateSet({
        wanted: sql`report.wanted + 1`,
        told: sql`case when ${isQuiet} then report.wanted + 1 else report.told end`,
      }),
    )
    .execute();
  tx.ring("reports");
}

/** What GitHub refused to be told is said once more: the App may have been given what it lacked. */
export async function raiseRefused(tx: Transaction, installation: number): Promise<void> {
  await tx.db
    .updateTable("report")
    .set({ wanted: sql`wanted + 1` })
    .where("problem", "is not", null)
    .whereRef("sent", "=", "wanted")
    .where("repository", "in", (is) => is.selectFrom("repository").select("id").where("installation", "=", installation))
    .execute();
  tx.ring("reports");
}

/** The file that says which chats are told has changed: what changes from now on may be news. */
export async function mayTell(tx: Transaction, repository: number): Promise<void> {
  await tx.db.updateTable("repository").set({ tells: sql`(tells / 4 + 1) * 4 + 1` }).where("id", "=", repository).execute();
}

/** What changes at GitHub when a run does. */
export function subjectsOf(run: Pick<RunRow, "id" | "kind" | "sha" | "name" | "preview" | "pull_request">): readonly Subject[] {
  const own: Subject = { kind: "run", id: run.id };
  switch (run.kind) {
    case "check":
      return [own, { kind: "commit", sha: run.sha }];
    case "deployment":
      if (run.preview === null || run.pull_request === null) return [own];
      return [own, { kind: "previews", pullRequest: run.pull_request }, { kind: "environment", name: run.name }];
  }
}

export function subjectToText(repository: number, subject: Subject): string {
  switch (subject.kind) {
    case "run":
      return `run ${subject.id}`;
    case "commit":
      return `commit ${repository} ${subject.sha}`;
    case "file":
      return `file ${repository} ${subject.sha}`;
    case "previews":
      return `previews ${repository} ${subject.pullRequest}`;
    case "environment":
      return `environment ${repository} ${subject.name}`;
  }
}

/** Throws for a text that `subjectToText` never made. */
export function subjectFromText(text: string): Subject {
  const [kind, first = "", second = ""] = text.split(" ");
  if (kind === "run") return { kind, id: Number(first) };
  if (kind === "commit" || kind === "file") return { kind, sha: second };
  if (kind === "previews") return { kind, pullRequest: Number(second) };
  if (kind === "environment") return { kind, name: second };
  throw new Error(`"${text}" is no subject of a report`);
}
