import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { openDatabase } from "../../../src/database/connection.ts";
import { createIngest } from "../../../src/doors/webhooks/ingest.ts";
import { openReceiving } from "../../../src/doors/webhooks/receiving.ts";

/** A process that takes webhooks into a folder until it is killed; it says its port when it has taken over what was there. */
const [folder = "", secret = ""] = process.argv.slice(2);
const database = await openDatabase({ url: null, folder, exclusive: true });
const log = pino({ level: "fatal" });
const listensTo = new Set(["push"]);
const receiving = await openReceiving({ database, folder, listensTo, log });
const server = createServer(createIngest({ receiving, secrets: [secret], listensTo, log }));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
