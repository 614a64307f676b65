import { z } from "zod";
import type { Query, Transaction } from "../database/connection.ts";
import { raise } from "./reports.ts";

/** What reading a commit's repository file came to, where people must be told. */
export type FileReading =
  /** `edit`: what a pull request changes in it, once that is known. */
  | { readonly kind: "fine"; readonly edit?: FileEdit }
  | {
      readonly kind: "mistakes";
      readonly mistakes: readonly { readonly path: string; readonly problem: string; readonly line?: number | undefined }[];
    };

/** A pull request's edit of the file, which holds only after the merge. */
export type FileEdit =
  /** What it changes for deployments, one sentence each; none when it changes nothing for them. */
  | { readonly kind: "changes"; readonly sentences: readonly string[] }
  /** A fork's: the file that its checks follow is the base's, so these hold nothing up. */
  | Extract<FileReading, { kind: "mistakes" }>;

const mistakes = z.object({
  kind: z.literal("mistakes"),
  mistakes: z.array(z.object({ path: z.string(), problem: z.string(), line: z.int().optional() })),
});

const edit: z.ZodType<FileEdit> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("changes"), sentences: z.array(z.string()) }),
  mistakes,
]);

const schema: z.ZodType<FileReading> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("fine"), edit: edit.exactOptional() }),
  mistakes,
]);

/** A commit whose file nobody complained about is fine. */
export async function readingOf(db: Query, repository: number, sha: string): Promise<FileReading> {
  const row = await db
    .selectFrom("file_reading")
    .select("reading")
    .where("repository", "=", repository)
    .where("sha", "=", sha)
    .executeTakeFirst();
  return row === undefined ? { kind: "fine" } : schema.parse(JSON.parse(row.reading));
}

/** Keeps what a reading came to, and has it told. The same reading again changes nothing; what is known of an edit stays. */
export async function keepReading(tx: Transaction, repository: number, sha: string, read: FileReading): Promise<void> {
  const before = await readingOf(tx.db, repository, sha);
  const reading = read.kind === "fine" && before.kind === "fine" ? { ...before, ...read } : read;
  const text = JSON.stringify(reading);
  if (JSON.stringify(before) === text) return;
  const row = { repository, sha, reading: text, read_at: tx.now };
  await tx.db
    .insertInto("file_reading")
    .values(row)
    .onConflict((conflict) => conflict.columns(["repository", "sha"]).doUpdateSet(row))
    .execute();
  await raise(tx, repository, [
    { kind: "file", sha },
    { kind: "commit", sha },
  ]);
}

/** Keeps what an edit changes, and has it told; `null` when the pull request does not edit the file (any more). */
export async function keepEdit(tx: Transaction, repository: number, sha: string, edited: FileEdit | null): Promise<void> {
  const before = await readingOf(tx.db, repository, sha);
  if (before.kind === "mistakes" || JSON.stringify(before.edit ?? null) === JSON.stringify(edited)) return;
  const reading = JSON.stringify({ kind: "fine", ...(edited === null ? {} : { edit: edited }) } satisfies FileReading);
  const row = { repository, sha, reading, read_at: tx.now };
  await tx.db
    .insertInto("file_reading")
    .values(row)
    .onConflict((conflict) => conflict.columns(["repository", "sha"]).doUpdateSet(row))
    .execute();
  await raise(tx, repository, [{ kind: "file", sha }]);
}
