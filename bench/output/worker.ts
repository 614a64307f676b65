import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { pino } from "pino";
import { openDatabase } from "../../src/database/connection.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import { makeScratch, probeSandbox, sandboxed } from "../../src/process/sandbox.ts";
import { spawnCommand } from "../../src/process/spawn.ts";
import { createCheck } from "../../src/runs/births.ts";
import type { Executors } from "../../src/runs/execute.ts";
import { findRun } from "../../src/runs/read.ts";
import { startWorker } from "../../src/runs/worker.ts";

/** A server's worker with the usual limit of a log; each message asks for one run of a command, and is answered when that has ended. */
export interface Asked {
  readonly command: string;
}
export interface Answered {
  readonly milliseconds: number;
  /** Bytes: how much more memory the process had at most than before the run. */
  readonly growth: number;
  readonly outcome: string;
}

const folder = process.env.FOLDER ?? "";
const probe = await probeSandbox();
if (!probe.works) throw new Error(`${probe.problem}. ${probe.fix}`);
const { sandbox } = probe;
const database = await openDatabase({ url: null, folder, exclusive: true });
const repository = {
  id: 7,
  installation: 2,
  owner: "acme",
  name: "shop",
  defaultBranch: "main",
  cloneUrl: "http://127.0.0.1/acme/shop.git",
  private: false,
};
await database.write((tx) => rememberRepository(tx, repository));
let command = "true";

const check: Executors["check"] = async (_run, io) => {
  const scratch = join(folder, "scratch");
  await makeScratch(scratch);
  // As a check that has a secret: what it writes is searched for it.
  io.conceal("a secret that is nowhere");
  const cell = { workspace: folder, scratch, readable: [], writable: [], network: false, env: {}, path: [] };
  const ending = await spawnCommand(sandboxed(sandbox, cell, ["/bin/sh", "-c", command]), io);
  if (ending.kind !== "exited" || ending.code !== 0) throw new Error(`the command ended so: ${JSON.stringify(ending)}`);
  return { kind: "passed" };
};

startWorker({
  database,
  owner: randomUUID(),
  concurrency: 1,
  executors: { check, deployment: () => Promise.reject(new Error("there is none")) },
  mayStart: async () => "may start",
  logLimit: 64 * 2 ** 20,
  log: pino({ level: "error" }),
});

process.on("message", async (asked: Asked) => {
  command = asked.command;
  const before = process.memoryUsage.rss();
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 10);
  const began = performance.now();
  const id = await database.write((tx) => {
    const commit = {
      repository: repository.id,
      sha: randomUUID().replaceAll("-", "").padEnd(40, "0"),
      ref: "main",
      pullRequest: null,
    };
    const people = { cause: { kind: "receipt", id: 1 } as const, title: null, person: null, trust: "own" as const };
    return createCheck(tx, { ...commit, ...people, configuration: {}, name: "test", start: { state: "queued" } });
  });
  const ended = Promise.withResolvers<string>();
  const unwake = database.wake.on("runs", async () => {
    const run = await database.read((db) => findRun(db, id ?? 0));
    if (run?.state === "finished") ended.resolve(run.outcome.kind);
  });
  const outcome = await ended.promise;
  unwake();
  clearInterval(look);
  const answer: Answered = { milliseconds: performance.now() - began, growth: most - before, outcome };
  process.send?.(answer);
});
process.send?.("ready");
