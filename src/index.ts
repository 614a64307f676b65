import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ApplicationFunction } from "probot";
import { createLog } from "./log.ts";
import { home } from "./settings/read-values.ts";
import { loadEnvironment, readSettings } from "./settings.ts";
import { openSignalbox } from "./signalbox.ts";

/**
 * For `probot run ./src/index.ts`. Development only: Probot's own route takes a webhook before ours could, so the answer to
 * GitHub does not mean that it is stored. From there on everything goes its usual way, through a receipt.
 */
const run: ApplicationFunction = async (probot, { addHandler }) => {
  const read = readSettings(loadEnvironment(home, process.env), { read: (path) => readFileSync(path, "utf8") });
  if (read.kind !== "settings")
    throw new Error(
      read.kind === "problems" ? read.problems.join("\n") : "There is no App yet: npm start opens the page that makes one",
    );
  const { doors, receive } = await openSignalbox({ settings: read.settings, log: createLog(read.settings.log) });
  const { pages } = doors;
  probot.onAny(async ({ id, name, payload }) => receive({ guid: id ?? randomUUID(), event: name, payload }));
  addHandler((request, response) => {
    if (pages === null) return false;
    pages(request, response);
    return true;
  });
};

export default run;
