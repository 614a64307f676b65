import type { Query } from "../database/connection.ts";
import type { Actor } from "./actor.ts";

/** Who did what, when, by which door and why. */
export interface Past {
  readonly id: number;
  readonly at: Date;
  readonly person: string;
  readonly door: Actor["door"] | "server";
  readonly deed: string;
  readonly environment: string | null;
  readonly run: number | null;
  readonly reason: string | null;
}

/** What was done in an environment or to a run, the newest first. */
export async function historyOf(
  db: Query,
  where: { readonly repository: number; readonly environment: string } | { readonly run: number },
  limit = 20,
): Promise<readonly Past[]> {
  const query = db.selectFrom("history").selectAll().orderBy("id", "desc").limit(limit);
  const found =
    "run" in where
      ? query.where("run", "=", where.run)
      : query.where("repository", "=", where.repository).where("environment", "=", where.environment);
  return (await found.execute()).map(({ id, at, person, door, deed, environment, run, reason }) => {
    return { id, at: new Date(at), person, door, deed, environment, run, reason };
  });
}
