import { sql } from "kysely";
import type { Database } from "../database/connection.ts";
import { rates, takeTurn } from "./pace.ts";

/** Turns to write that all replicas take from one bucket, by the database's clock; a pause that GitHub asked one of them for holds for all. */
export function sharedTurns(database: Database): SharedTurns {
  return {
    take: (installation) =>
      database.write(async (tx) => {
        // Locked first, so that of two replicas each sees what the other took.
        await tx.db
          .insertInto("installation_pace")
          .values({ installation, next_at: 0 })
          .onConflict((conflict) => conflict.column("installation").doUpdateSet({ next_at: sql`installation_pace.next_at` }))
          .execute();
        const row = tx.db.selectFrom("installation_pace").selectAll().where("installation", "=", installation);
        const { next_at, paused_until } = await row.executeTakeFirstOrThrow();
        const turn = takeTurn(next_at, tx.now, rates.writes);
        await tx.db
          .updateTable("installation_pace")
          .set({ next_at: turn.fullAt })
          .where("installation", "=", installation)
          .execute();
        return { wait: turn.wait, pause: Math.max(0, paused_until - tx.now) };
      }),
    pause: (installation, milliseconds) =>
      database.write(async (tx) => {
        const until = tx.now + milliseconds;
        await tx.db
          .insertInto("installation_pace")
          .values({ installation, next_at: 0, paused_until: until })
          .onConflict((conflict) => conflict.column("installation").doUpdateSet({ paused_until: until }))
          .execute();
      }),
  };
}

export interface SharedTurns {
  /** Takes a turn: milliseconds until it comes, and how long GitHub wants to be left alone. */
  take(installation: number): Promise<{ readonly wait: number; readonly pause: number }>;
  /** GitHub asked this process to leave it alone for so long. */
  pause(installation: number, milliseconds: number): Promise<void>;
}
