import { describe, expect, it } from "@jest/globals";
import { startDispatcher } from "../../src/deployments/dispatcher.ts";
import { watchFreezes } from "../../src/deployments/freezes-that-end.ts";
import { wishAutomatic } from "../../src/deployments/wish.ts";
import { reconsidered, toReconsider } from "../../src/runs/reconsidering.ts";
import { engines } from "../support/engines.ts";
import { until } from "../support/until.ts";
import { deploymentsOf, fileOf, meansWith, remember, repositoryWith, sha } from "./world.ts";

const frozen = `{ trigger: push, target: command, with: { run: a }, require_checks: none, freeze: [{ from: "12:00", to: "13:00" }] }`;

describe.each(engines())("a freeze on %s", (_name, storage) => {
  async function openNoon() {
    const clock = { now: Date.UTC(2026, 10, 20, 12, 30) };
    const database = await storage.open({ clock: () => clock.now });
    const repository = repositoryWith(7);
    await remember(database, repository);
    const means = meansWith(database, fileOf(`environments: { live: ${frozen} }`));
    const about = {
      cause: { kind: "receipt" as const, id: 1 },
      pullRequest: null,
      title: null,
      author: null,
      person: null,
      head: null,
    };
    await wishAutomatic(means, { ...about, repository, sha: sha(1), branch: "main" }, "push");
    return { clock, database, means };
  }

  it("ends by itself: what waited for it is queued", async () => {
    const { clock, database, means } = await openNoon();
    const dispatcher = startDispatcher(means);
    try {
      await dispatcher.settled();
      expect(await deploymentsOf(database, 7)).toMatchObject([
        { state: "waiting", gates: [{ kind: "freeze", until: new Date(Date.UTC(2026, 10, 20, 13)) }] },
      ]);
      clock.now = Date.UTC(2026, 10, 20, 13);
      await until("the freeze is over", async () => (await deploymentsOf(database, 7))[0]?.state === "queued");
    } finally {
      await dispatcher.stop();
    }
  });

  it("rings once when it ends, not before, and not for ever when nothing comes of it", async () => {
    const { clock, database, means } = await openNoon();
    const dispatcher = startDispatcher(means);
    await dispatcher.settled();
    await dispatcher.stop();
    const ring = watchFreezes(database);
    const due = () => database.read(toReconsider);
    await ring();
    expect(await due()).toEqual([]);
    clock.now = Date.UTC(2026, 10, 20, 13);
    await ring();
    expect(await due()).toMatchObject([{ repository: 7 }]);
    for (const { repository, wanted } of await due()) await database.write((tx) => reconsidered(tx, repository, wanted));
    await ring();
    expect(await due()).toEqual([]);
  });
});
