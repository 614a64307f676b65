import { z } from "zod";
import type { Query, Transaction } from "../database/connection.ts";
import { raise } from "./reports.ts";

/** What reading a commit's repository file came to, where people must be told. */
export type FileReading =
  | { readonly kind: "fine" }
  | {
      readonly kind: "mistakes";
      readonly mistakes: readonly { readonly path: string; readonly problem: string; readonly line?: number | undefined }[];
    };

const schema: z.ZodType<FileReading> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("fine") }),
  z.object({
    kind: z.literal("mistakes"),
    mistakes: z.array(z.object({ path: z.string(), problem: z.string(), line: z.int().optional() })),
  }),
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

/** Keeps what a reading came to, and has it told. The same reading again changes nothing. */
export async function keepReading(tx: Transaction, repository: number, sha: string, reading: FileReading): Promise<void> {
  const before = await readingOf(tx.db, repository, sha);
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
