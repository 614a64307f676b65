import pino from "pino";
import { openDatabase } from "../../src/database/connection.ts";
import { createIngest } from "../../src/doors/webhooks/ingest.ts";
import { secret } from "./delivery.ts";
import { listen } from "./listen.ts";

/** Ours: every delivery is durable in SQLite before it is accepted. */
const database = await openDatabase({ url: null, folder: process.env.BENCH_FOLDER ?? "", exclusive: true });
const log = pino({ level: "fatal" });
listen(createIngest({ database, secrets: [secret], listensTo: new Set(["pull_request.opened"]), log }));
