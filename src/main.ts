import { readFileSync } from "node:fs";
import { createLog } from "./log.ts";
import { startServer } from "./server.ts";
import { startSetUp } from "./set-up.ts";
import { home } from "./settings/read-values.ts";
import { loadEnvironment, readSettings } from "./settings.ts";

/** Starts the server, or the set-up page when there is no App yet, and stops it on SIGTERM and SIGINT. */
async function main(): Promise<void> {
  const env = loadEnvironment(home, process.env);
  const read = readSettings(env, { read: (path) => readFileSync(path, "utf8") });
  for (const warning of read.warnings) console.error(`Warning: ${warning}`);
  switch (read.kind) {
    case "problems":
      console.error(["Signalbox does not start:", ...read.problems.map((problem) => `  ${problem}`)].join("\n"));
      process.exitCode = 1;
      return;
    case "unregistered": {
      const log = createLog(read.ground.log);
      const setUp = await startSetUp({ env, log, folder: home });
      return stopOnSignal(
        () => setUp.close(),
        (signal) => log.info({ signal }, "stopping"),
      );
    }
    case "settings": {
      const log = createLog(read.settings.log);
      const server = await startServer({ settings: read.settings, log });
      return stopOnSignal(
        () => server.stop(),
        (signal) => log.info({ signal }, "stopping: checks go back to the queue, deployments get 20 s to end"),
      );
    }
  }
}

/** A second signal ends the process at once; so does what still hangs after 30 s, as nothing that was acknowledged is lost by it. */
function stopOnSignal(stop: () => Promise<void>, say: (signal: string) => void): void {
  let stopping = false;
  const begin = (signal: string) => {
    if (stopping) process.exit(1);
    stopping = true;
    say(signal);
    setTimeout(() => process.exit(1), 29_000).unref();
    stop().then(
      () => process.exit(0),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", begin);
  process.on("SIGINT", begin);
}

try {
  await main();
} catch (error) {
  console.error(`Signalbox does not start:\n  ${Error.isError(error) ? error.message : String(error)}`);
  process.exitCode = 1;
}
