import { describe, expect, it } from "@jest/globals";
import { engines } from "../support/engines.ts";
import { holdOf, openScene, repository, sha, taken } from "./scene.ts";

const other = repository.id + 1;

describe.each(engines())("the queue on %s, with more than can run at once,", (_name, storage) => {
  async function openBusy(count: number) {
    const scene = await openScene(storage);
    const ids: number[] = [];
    for (let n = 1; n <= count; n += 1) ids.push(await scene.check({ sha: sha(n) }));
    const next = async () => {
      scene.pass(1_000);
      return taken(await scene.claim());
    };
    return { ...scene, ids, next };
  }

  it("starts one repository's only check beside the first of another's hundred", async () => {
    const { check, next, ids } = await openBusy(100);
    const single = await check({ repository: other });
    expect([(await next()).id, (await next()).id, (await next()).id]).toEqual([ids[0], single, ids[1]]);
  });

  it("takes turns also where one runs at a time, and lets nobody wait for more than one of each", async () => {
    const { check, next, finish, ids } = await openBusy(4);
    const first = await next();
    await finish(holdOf(first));
    const single = await check({ repository: other });
    const late = await check({ repository: other, name: "lint" });
    const order = [first.id];
    for (let n = 0; n < 5; n += 1) {
      const run = await next();
      order.push(run.id);
      await finish(holdOf(run));
    }
    expect(order).toEqual([ids[0], single, ids[1], late, ids[2], ids[3]]);
  });

  it("counts what a repository runs, not what it has run", async () => {
    const { check, next, finish, ids } = await openBusy(6);
    const [a, b] = [await next(), await next()];
    const others = [await check({ repository: other }), await check({ repository: other, name: "lint" })];
    expect([(await next()).id, (await next()).id]).toEqual(others);
    // Two each: the one that was served longer ago.
    expect((await next()).id).toBe(ids[2]);
    await finish(holdOf(a));
    await finish(holdOf(b));
    await check({ repository: other, name: "e2e" });
    expect((await next()).id).toBe(ids[3]);
  });

  it("keeps the order within a repository and within a lane", async () => {
    const { deployment, check, next, claim, finish } = await openBusy(0);
    const [first, second] = [await deployment({ sha: sha(1) }), await deployment({ sha: sha(2) })];
    const test = await check();
    const elsewhere = await deployment({ repository: other, environment: "staging" });
    const began = await next();
    expect([began.id, (await next()).id, (await next()).id]).toEqual([first, elsewhere, test]);
    expect(await claim()).toBeNull();
    await finish(holdOf(began));
    expect((await next()).id).toBe(second);
  });

  it("passes over a repository whose turn it is when nothing of it may start yet", async () => {
    const { database, check, claim, ids } = await openBusy(2);
    await database.write((tx) =>
      tx.db
        .updateTable("run")
        .set({ not_before: tx.now + 60_000 })
        .execute(),
    );
    expect(await claim()).toBeNull();
    const single = await check({ repository: other });
    expect((await claim())?.id).toBe(single);
    expect(ids).not.toContain(single);
  });

  it("gives each of many workers that claim at the same moment a run of its own", async () => {
    const { check, claim, ids } = await openBusy(12);
    for (let n = 0; n < 4; n += 1) ids.push(await check({ repository: other, name: `check ${n}` }));
    const claimed = await Promise.all(Array.from({ length: 16 }, (_, n) => claim(`worker ${n}`)));
    const got = claimed.flatMap((run) => run?.id ?? []);
    expect(new Set(got).size).toBe(got.length);
    for (let run = await claim(); run !== null; run = await claim()) got.push(run.id);
    expect(got.toSorted((a, b) => a - b)).toEqual(ids);
  });
});
