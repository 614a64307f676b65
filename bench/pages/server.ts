import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { openLog } from "../../src/runs/log.ts";
import { startServer } from "../../src/server.ts";
import { readSettings } from "../../src/settings.ts";
import { addRun, fillRuns, lineOf, longLog } from "./fill.ts";

/** To write lines, or to say how much of a processor was used so far. */
type Order = { readonly lines: number; readonly perSecond: number } | { readonly cpu: true };

// A whole server that also writes logs when it is told to: on SQLite only its own process hears that a line has come.
const read = readSettings(process.env, { read: () => "" });
if (read.kind !== "settings") throw new Error(JSON.stringify(read));
const server = await startServer({ settings: { ...read.settings, role: "web" }, log: pino({ level: "fatal" }) });
const began = performance.now();
await fillRuns(server.database);
const filled = performance.now() - began;
const long = await addRun(server.database, "long", longLog);
const live = await addRun(server.database, "live", 0);
const log = openLog(server.database, { run: live, attempt: 1, limit: 2 ** 30 });
let written = 0;

process.on("message", (order: Order) => {
  if ("cpu" in order) process.send?.(process.cpuUsage());
  else void write(order.lines, order.perSecond).then(() => process.send?.({ written }));
});
process.send?.({ long, live, filled });

async function write(lines: number, perSecond: number): Promise<void> {
  const start = performance.now();
  for (let done = 0; done < lines; ) {
    const due = Math.min(lines, Math.floor(((performance.now() - start) / 1_000) * perSecond));
    const text = Array.from({ length: due - done }, (_, at) => lineOf(written + at + 1)).join("");
    written += due - done;
    done = due;
    if (text !== "") await log.write(new TextEncoder().encode(text));
    await delay(20);
  }
  // What waits in the writer's buffer is kept a quarter of a second later.
  await delay(400);
}
