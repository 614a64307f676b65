import { pino } from "pino";
import { startServer } from "../../src/server.ts";
import { readSettings } from "../../src/settings.ts";

/** Our whole server but for the worker: the time until the first status is measured, not what the checks cost. */
const read = readSettings(process.env, { read: () => "" });
if (read.kind !== "settings") throw new Error(JSON.stringify(read));
await startServer({ settings: { ...read.settings, role: "web" }, log: pino({ level: "fatal" }) });
