import { join } from "node:path";
import { openJournal } from "../../database/journal/journal.ts";
import { recordOf } from "./arrival-record.ts";
import { crowd } from "./crowd.ts";
import { movedSoFar, startMover } from "./mover.ts";
import type { Receiving, ReceivingOptions } from "./receiving.ts";

/** Acknowledges what is durable in the journal, and moves it to the table of receipts as the arrivals leave time for it. */
export async function receivingByJournal({ database, folder, listensTo, log }: ReceivingOptions): Promise<Receiving> {
  const released = await movedSoFar(database);
  const journal = await openJournal({ path: join(folder, "receipts.journal"), released });
  const arrivals = crowd();
  const mover = startMover({ database, journal, arrivals, listensTo, log });
  const left = await mover.caughtUp();
  if (left > 0) log.info({ deliveries: left }, "took over what the last server had accepted and not yet looked into");
  let stopped = false;
  return {
    async receive(arrival) {
      if (stopped) throw new Error("The server is stopping");
      arrivals.came(performance.now());
      await journal.append(recordOf(arrival, new Date()));
      mover.wake();
    },
    async settled() {
      await journal.settled();
      await mover.caughtUp();
    },
    broken: () => journal.broken()?.message ?? null,
    async stop() {
      stopped = true;
      await journal.settled();
      await mover.stop();
      await journal.close();
    },
  };
}
