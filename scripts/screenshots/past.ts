import type { Database } from "../../src/database/connection.ts";

const day = 86_400_000;

/** Two weeks of deployments before the scene begins, so that its charts have something to show. */
export async function addPast(database: Database, repository: number, first: string): Promise<void> {
  await database.write(async ({ db, now }) => {
    const rows = [];
    for (let back = 13; back >= 1; back -= 1) {
      for (const [name, count] of [
        ["staging", (back * 7) % 6],
        ["production", (back * 5) % 4],
        ["demo", back === 6 || back === 11 ? 1 : 0],
      ] as const) {
        for (let at = 0; at < count; at += 1) {
          const failed = name === "production" && back === 4 && at === 0;
          const finished = now - back * day + at * 3_600_000;
          const took = name === "staging" ? 128_000 + at * 9_000 : 221_000 + at * 12_000;
          rows.push({
            cause: "receipt 0",
            kind: "deployment" as const,
            repository,
            sha: first,
            ref: "main",
            pull_request: null,
            title: "First commit",
            author: "mira",
            person: "jonas",
            name,
            task: "deploy" as const,
            automatic: 0,
            lane: `${repository}/${name}`,
            state: "finished" as const,
            outcome: JSON.stringify(failed ? { kind: "failed", what: "the health check never answered" } : { kind: "passed" }),
            attempt: 1,
            configuration: "null",
            created_at: finished - took - 600_000,
            started_at: finished - took,
            finished_at: finished,
          });
        }
      }
    }
    for (const row of rows) await db.insertInto("run").values(row).execute();
  });
}
