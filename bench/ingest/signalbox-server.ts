import pino from "pino";
import { openDatabase } from "../../src/database/connection.ts";
import { createIngest } from "../../src/doors/webhooks/ingest.ts";
import { openReceiving } from "../../src/doors/webhooks/receiving.ts";
import { secret } from "./delivery.ts";
import { listen } from "./listen.ts";

/** Ours: every delivery is durable before it is accepted. To any message it answers when all of them are receipts in the database. */
const folder = process.env.BENCH_FOLDER ?? "";
const database = await openDatabase({ url: null, folder, exclusive: true });
const log = pino({ level: "fatal" });
const listensTo = new Set(["pull_request.opened"]);
const receiving = await openReceiving({ database, folder, listensTo, log });
process.on("message", async () => {
  await receiving.settled();
  const { receipts } = await database.read((db) =>
    db
      .selectFrom("receipt")
      .select((e) => e.fn.countAll<number>().as("receipts"))
      .executeTakeFirstOrThrow(),
  );
  process.send?.({ receipts, resident: process.memoryUsage.rss() } satisfies Drained);
});
listen(createIngest({ receiving, secrets: [secret], listensTo, log }));

export interface Drained {
  /** All that were ever accepted. */
  readonly receipts: number;
  /** Bytes of memory. */
  readonly resident: number;
}
