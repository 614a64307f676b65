import { describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { openLog, readLines } from "../../src/runs/log.ts";
import { keepReading } from "../../src/runs/readings.ts";
import { startRetention, sweep } from "../../src/runs/retention.ts";
import { engines } from "../support/engines.ts";
import { until } from "../support/until.ts";
import { holdOf, openScene, repository, sha, taken } from "./scene.ts";

const day = 24 * 3_600_000;
const settings = { logRetention: 10 * day, historyRetention: 100 * day };
const log = pino({ level: "silent" });

describe.each(engines())("retention on %s", (_name, storage) => {
  async function open() {
    const scene = await openScene(storage);
    const { database } = scene;
    const exists = async (id: number) =>
      (await database.read((db) => db.selectFrom("run").select("id").where("id", "=", id).execute())).length === 1;
    return {
      ...scene,
      exists,
      /** Runs what is queued to its end, with some lines of log. */
      async work(lines = 3) {
        const run = taken(await scene.claim());
        const writer = openLog(database, { run: run.id, attempt: run.attempt.number, limit: 1_000_000 });
        await writer.write(Buffer.from("line\n".repeat(lines)));
        await writer.close();
        scene.pass(1_000);
        await scene.finish(holdOf(run));
        return run.id;
      },
      lines: async (run: number) =>
        (await database.read((db) => readLines(db, { run, attempt: 1, from: 1, to: 10 }))).lines.length,
      sweep: () => sweep({ database, settings, log }, new AbortController().signal),
      receipt: (guid: string, state: "handled" | "received") =>
        database.write((tx) =>
          tx.db.insertInto("receipt").values({ guid, event: "push", body: "{}", received_at: tx.now, state }).execute(),
        ),
      receipts: () => database.read((db) => db.selectFrom("receipt").select(["guid", "body"]).orderBy("id").execute()),
      count: async (table: "attempt" | "report" | "file_reading" | "log_chunk") =>
        (await database.read((db) => db.selectFrom(table).selectAll().execute())).length,
    };
  }

  it("deletes the logs of runs that ended long ago, keeps the runs, and touches no younger log", async () => {
    const { check, work, lines, pass, sweep, exists } = await open();
    await check();
    const old = await work();
    pass(9 * day);
    await check({ sha: sha(2) });
    const young = await work();
    pass(2 * day);
    await sweep();
    expect([await lines(old), await lines(young)]).toEqual([0, 3]);
    expect(await exists(old)).toBe(true);
  });

  it("leaves alone the log of what is unfinished, however old", async () => {
    const { check, claim, database, pass, sweep, lines } = await open();
    const id = await check();
    taken(await claim());
    const writer = openLog(database, { run: id, attempt: 1, limit: 1_000 });
    await writer.write(Buffer.from("still\n"));
    await writer.close();
    pass(500 * day);
    await sweep();
    expect(await lines(id)).toBe(1);
  });

  it("deletes a run with all that belongs to it, and what was said of its commit with the last of its runs", async () => {
    const { check, work, pass, sweep, exists, count, database } = await open();
    await check();
    await check({ name: "lint" });
    await database.write((tx) => keepReading(tx, repository.id, sha(1), { kind: "mistakes", mistakes: [] }));
    const first = await work();
    pass(50 * day);
    const second = await work();
    pass(51 * day);
    await sweep();
    expect([await exists(first), await exists(second)]).toEqual([false, true]);
    expect([await count("attempt"), await count("file_reading"), await count("report")]).toEqual([1, 1, 3]);
    pass(50 * day);
    await sweep();
    expect(await exists(second)).toBe(false);
    expect([await count("attempt"), await count("file_reading"), await count("report"), await count("log_chunk")]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it("keeps the checks that an unfinished deployment of their commit waits for", async () => {
    const { check, wish, work, pass, sweep, exists } = await open();
    await check();
    const done = await work();
    await wish();
    pass(500 * day);
    await sweep();
    expect(await exists(done)).toBe(true);
  });

  it("keeps what is live in each environment and what was live before it", async () => {
    const { deployment, work, pass, sweep, exists } = await open();
    const ids: number[] = [];
    for (const [commit, environment] of [
      [1, "staging"],
      [2, "staging"],
      [1, "production"],
      [3, "staging"],
      [3, "production"],
    ] as const) {
      await deployment({ sha: sha(commit), environment });
      ids.push(await work());
    }
    pass(500 * day);
    await sweep();
    const kept = await Promise.all(ids.map(exists));
    expect(kept).toEqual([false, true, true, true, true]);
  });

  it("keeps what was live before the deployment that a rollback put back", async () => {
    const { deployment, work, pass, sweep, exists } = await open();
    const ids: number[] = [];
    for (const [commit, task] of [
      [1, "deploy"],
      [2, "deploy"],
      [3, "deploy"],
      [4, "deploy"],
      [3, "rollback"],
    ] as const) {
      await deployment({ sha: sha(commit), task });
      ids.push(await work());
    }
    pass(500 * day);
    await sweep();
    expect(await Promise.all(ids.map(exists))).toEqual([false, true, true, true, true]);
  });

  it("empties the bodies of receipts with the logs, deletes the receipts later, and never one that is to be handled", async () => {
    const { receipt, receipts, pass, sweep } = await open();
    await receipt("old", "handled");
    await receipt("stuck", "received");
    pass(11 * day);
    await receipt("new", "handled");
    await sweep();
    const [stuck, young] = [
      { guid: "stuck", body: "{}" },
      { guid: "new", body: "{}" },
    ];
    expect((await receipts()).map((row) => ({ ...row }))).toEqual([{ guid: "old", body: null }, stuck, young]);
    pass(90 * day);
    await sweep();
    expect((await receipts()).map((row) => ({ ...row }))).toEqual([stuck, { guid: "new", body: null }]);
  });

  it("keeps GUIDs for eight days, whatever HISTORY_RETENTION says", async () => {
    const { database, receipt, receipts, pass } = await open();
    const short = { logRetention: day, historyRetention: day };
    await receipt("one", "handled");
    pass(7 * day);
    await sweep({ database, settings: short, log }, new AbortController().signal);
    expect(await receipts()).toHaveLength(1);
    pass(2 * day);
    await sweep({ database, settings: short, log }, new AbortController().signal);
    expect(await receipts()).toHaveLength(0);
  });

  it("begins with the server, and has let go of the database when it has stopped", async () => {
    const { database, check, work, lines, pass } = await open();
    await check();
    const old = await work();
    pass(11 * day);
    const retention = startRetention({ database, settings, log });
    await until("the log is deleted", async () => (await lines(old)) === 0);
    await retention.stop();
    await database.close();
  });
});
