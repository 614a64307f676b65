import { mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { type CheckMeans, executeCheck } from "../../src/checks/execute.ts";
import type { Database } from "../../src/database/connection.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import { openCaches } from "../../src/process/cache.ts";
import { runners } from "../../src/runners/index.ts";
import { createCheck } from "../../src/runs/births.ts";
import { readLines } from "../../src/runs/log.ts";
import { findRun } from "../../src/runs/read.ts";
import { startWorker, type Worker } from "../../src/runs/worker.ts";
import { mayAlwaysStart, newCheck, repository, sha } from "../runs/scene.ts";
import { engines } from "../support/engines.ts";
import { noImages } from "../support/no-images.ts";
import { until } from "../support/until.ts";

const storage = engines()[0]?.[1];

describe("the cache of a check", () => {
  let root: string;
  let database: Database;
  let worker: Worker;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "signalbox-local-cache-")));
    if (storage === undefined) throw new Error("There is no database");
    database = await storage.open();
    await database.write((tx) => rememberRepository(tx, repository));
    worker = startWorker({
      database,
      owner: "worker",
      concurrency: 1,
      executors: {
        check: (run, io) => executeCheck(means(), run, io),
        deployment: () => Promise.reject(new Error("There are none here")),
      },
      mayStart: mayAlwaysStart,
      logLimit: 1_000_000,
      log: pino({ level: "silent" }),
    });
  });
  afterEach(async () => {
    await worker.stop(0);
    await rm(root, { recursive: true, force: true });
  });

  /** Each run in an empty workspace. */
  const means = (): CheckMeans => ({
    database,
    settings: { publicUrl: "https://ci.acme.example", outboundAllow: [] },
    workspaces: {
      async with({ holder }, work) {
        const folder = join(root, holder);
        await mkdir(folder);
        return work({ folder, objects: join(root, "objects"), tree: async () => sha(9) });
      },
      clear: async () => {},
    },
    runners,
    images: noImages,
    sandbox: { kind: "none" },
    caches: openCaches(join(root, "caches")),
    mark: {},
    toolsPaths: [],
    gitSource: ({ id, cloneUrl }) => ({ id, cloneUrl, token: async () => null }),
  });

  /** Runs the check `name` on a commit of its own and returns its log. */
  async function logOf(commit: number, run: string, more: { name?: string; trust?: "own" | "fork" } = {}): Promise<string> {
    const steps = [{ name: null, run }];
    const configuration = {
      ...{ runner: "local", with: {}, steps, timeout: 60_000, paths: null, env: {}, cache: ["~/.npm"] },
    };
    const id = await database.write((tx) => createCheck(tx, newCheck({ sha: sha(commit), configuration, ...more })));
    if (id === null) throw new Error("The run existed already");
    await until("the run ends", async () => (await database.read((db) => findRun(db, id)))?.state === "finished");
    const { lines } = await database.read((db) => readLines(db, { run: id, attempt: 1, from: 1, to: 50 }));
    return lines.join("\n");
  }

  const leave = (text: string) => `mkdir -p ~/.npm; echo ${text} > ~/.npm/file`;
  const show = "cat ~/.npm/file || echo nothing";

  it("is what the last run of the same check left", async () => {
    await logOf(1, leave("one"));

    expect(await logOf(2, show)).toMatch(/^one$/m);
    expect(await logOf(3, show, { name: "lint" })).toMatch(/^nothing$/m);
  });

  it("is neither shown to forks nor left by them", async () => {
    await logOf(1, leave("one"));

    expect(await logOf(2, `${show}; ${leave("poison")}`, { trust: "fork" })).toMatch(/^nothing$/m);

    expect(await logOf(3, show)).toMatch(/^one$/m);
    expect(await readdir(join(root, "caches"))).toHaveLength(1);
  });
});
