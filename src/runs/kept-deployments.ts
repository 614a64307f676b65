import type { Query } from "../database/connection.ts";

/**
 * The oldest run of an environment that is still needed: what was live before the deployment that put in place what is live now, so that a
 * rollback finds it. All since then counts too: it may be there although it failed, or tell what a late deployment must not go back behind.
 * Where nothing was ever live, the newest run.
 */
export async function standsFrom(db: Query, repository: number, environment: string): Promise<number> {
  // Of a preview that may be there, all that it consists of: it knows what is to be taken away.
  const preview = await db
    .selectFrom("preview")
    .select("since")
    .where("repository", "=", repository)
    .where("environment", "=", environment)
    .executeTakeFirst();
  if (preview !== undefined) return preview.since;
  const ended = db
    .selectFrom("run")
    .select(["id", "sha", "task", "automatic"])
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .orderBy("finished_at", "desc")
    .orderBy("id", "desc");
  const passed = ended.where("outcome", "like", '{"kind":"passed"%');
  const live = await passed.limit(1).executeTakeFirst();
  if (live === undefined) return (await ended.limit(1).executeTakeFirst())?.id ?? 0;
  const deployed = passed.where("task", "=", "deploy");
  // What is live may have been put back: what put it in place first is further down.
  const origin = (await deployed.where("sha", "=", live.sha).where("id", "<=", live.id).limit(1).executeTakeFirst()) ?? live;
  const previous = await deployed.where("sha", "<>", live.sha).where("id", "<", origin.id).limit(1).executeTakeFirst();
  return Math.min(origin.id, previous?.id ?? origin.id);
}
