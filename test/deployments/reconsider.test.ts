import { describe, expect, it } from "@jest/globals";
import { mayStart, reconsider } from "../../src/deployments/reconsider.ts";
import { wish, wishAutomatic } from "../../src/deployments/wish.ts";
import { claim, enqueue, finish } from "../../src/runs/queue.ts";
import { findRun } from "../../src/runs/read.ts";
import type { DeploymentRun, Outcome } from "../../src/runs/run.ts";
import { engines } from "../support/engines.ts";
import { deploymentsOf, fileOf, meansWith, remember, repositoryWith, say, sha } from "./world.ts";

const repository = repositoryWith(7);
const passed: Outcome = { kind: "passed", live: { release: "a release" } };
const switched: Outcome = { kind: "failed", what: "it does not answer", switched: true };

describe.each(engines())("deciding on %s", (_name, storage) => {
  async function open(keys: string) {
    const clock = { now: Date.UTC(2026, 10, 20, 9) };
    const database = await storage.open({ clock: () => clock.now });
    await remember(database, repository);
    const yaml = `environments: { live: { trigger: push, target: command, with: { run: a }, ${keys} } }`;
    const file = fileOf(yaml);
    const means = meansWith(database, file);
    const candidate = (number: number) => ({
      cause: { kind: "receipt" as const, id: 1 },
      repository,
      sha: sha(number),
      branch: "main",
      pullRequest: null,
      title: null,
      author: null,
      person: null,
      head: null,
    });
    return {
      clock,
      database,
      think: () => reconsider(means, repository.id),
      push: (number: number) => wishAutomatic(means, candidate(number), "push"),
      ask: (number: number) =>
        wish(means, candidate(number), { gating: file, environments: ["live"], automatic: false, github: null }),
      async start(): Promise<DeploymentRun> {
        const run = await claim(database, "worker", mayStart);
        if (run?.kind !== "deployment") throw new Error("no deployment starts");
        return run;
      },
      async end(run: DeploymentRun, outcome: Outcome): Promise<void> {
        clock.now += 1_000;
        await database.write((tx) => finish(tx, { id: run.id, attempt: 1, owner: "worker" }, outcome));
      },
      /** The newest that was wished for. */
      async last(): Promise<DeploymentRun> {
        const run = (await deploymentsOf(database, repository.id)).at(-1);
        if (run === undefined) throw new Error("nothing was wished for");
        return run;
      },
    };
  }

  it("lets nothing start before what failed after the switch is put back, not even what was judged after the failure", async () => {
    const { database, think, push, start, end, last } = await open("require_checks: none, rollback: automatic");
    await push(1);
    await think();
    await end(await start(), passed);
    await push(2);
    await think();
    const failing = await start();
    await push(3);
    const waiting = await last();
    await end(failing, switched);
    await database.write((tx) => enqueue(tx, waiting.id, failing.id));

    expect(await claim(database, "worker", mayStart)).toBeNull();
    await think();
    expect(await start()).toMatchObject({ task: "rollback", sha: sha(1), person: null });
    await think();
    const held = await database.read((db) => findRun(db, waiting.id));
    expect(held).toMatchObject({ state: "waiting", gates: [{ kind: "lock", by: "Signalbox" }] });
  });

  it("decides anew when another release is live than the one that it was decided against", async () => {
    const { database, think, push, ask, start, end } = await open("require_checks: none");
    await push(1);
    await think();
    await end(await start(), passed);
    await push(2);
    await think();
    const [asked] = await ask(3);
    const second = await start();
    await think();
    expect(await database.read((db) => findRun(db, asked ?? 0))).toMatchObject({ state: "queued" });
    await end(second, passed);
    expect(await claim(database, "worker", mayStart)).toBeNull();
    expect(await database.read((db) => findRun(db, asked ?? 0))).toMatchObject({ state: "waiting", gates: [{ kind: "order" }] });
    await think();
    expect(await start()).toMatchObject({ id: asked });
  });

  it("takes the newest of what others said of a commit, whatever arrives last", async () => {
    const { clock, database, think, push, start, last } = await open('require_checks: ["codecov/patch"]');
    await push(1);
    await think();
    await say(database, repository.id, sha(1), "failed", clock.now + 2_000);
    await say(database, repository.id, sha(1), "passed", clock.now + 1_000);
    await think();
    expect(await last()).toMatchObject({
      gates: [{ kind: "checks", notGreen: [{ context: "codecov/patch", state: "failed" }] }],
    });
    await say(database, repository.id, sha(1), "passed", clock.now + 3_000);
    await think();
    expect(await start()).toMatchObject({ sha: sha(1) });
  });

  it("goes on rolling back while GitHub does not answer", async () => {
    const { database, think, push, start, end } = await open("require_checks: none, rollback: automatic");
    for (const outcome of [passed, switched]) {
      await push(outcome === passed ? 1 : 2);
      await think();
      await end(await start(), outcome);
    }
    const silent = { ...meansWith(database, fileOf("{}")), loadFile: () => Promise.reject(new Error("GitHub is down")) };
    await expect(reconsider(silent, repository.id)).rejects.toThrow("GitHub is down");
    expect(await start()).toMatchObject({ task: "rollback", sha: sha(1) });
  });
});
