import { describe, expect, it } from "@jest/globals";
import { watchPreviews } from "../../../src/deployments/previews/watch.ts";
import { toReconsider } from "../../../src/runs/reconsidering.ts";
import { engines } from "../../support/engines.ts";
import { remember, repositoryWith } from "../world.ts";

const minute = 60_000;

describe.each(engines())("the watch over previews on %s", (_name, storage) => {
  async function open() {
    const clock = { now: Date.UTC(2026, 10, 20, 9) };
    const database = await storage.open({ clock: () => clock.now });
    for (const id of [1, 2]) await remember(database, repositoryWith(id));
    const preview = { environment: "preview-pr-1", preview: "preview", pull_request: 1, since: 1 };
    await database.write((tx) =>
      tx.db
        .insertInto("preview")
        .values({ repository: 1, ...preview })
        .execute(),
    );
    const watch = watchPreviews(database, () => clock.now);
    /** Rings, and gives the repositories that are thought through for it. */
    const rung = async () => {
      const before = new Map((await database.read(toReconsider)).map(({ repository, wanted }) => [repository, wanted]));
      await watch.ring();
      const after = await database.read(toReconsider);
      return after.filter(({ repository, wanted }) => before.get(repository) !== wanted).map(({ repository }) => repository);
    };
    return { clock, watch, rung };
  }

  it("has each repository with previews looked at after a start, and then when its time has come", async () => {
    const { clock, watch, rung } = await open();
    expect(await rung()).toEqual([1]);
    expect(await rung()).toEqual([]);
    watch.lookAgain(1, new Date(clock.now + minute));
    watch.lookAgain(2, null);
    clock.now += minute - 1;
    expect(await rung()).toEqual([]);
    clock.now += 1;
    expect(await rung()).toEqual([1]);
    expect(await rung()).toEqual([]);
    clock.now += 9 * minute;
    expect(await rung()).toEqual([2]);
  });

  it("lets GitHub be asked at the first time, and then every ten minutes", async () => {
    const { clock, watch } = await open();
    expect([watch.mayAsk(1), watch.mayAsk(1), watch.mayAsk(2)]).toEqual([true, false, true]);
    clock.now += 10 * minute;
    expect([watch.mayAsk(1), watch.mayAsk(1)]).toEqual([true, false]);
  });
});
