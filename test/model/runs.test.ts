import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { engines } from "../support/engines.ts";
import { after, empty, live, type Model, type ModelRun, type Step } from "./model.ts";
import { visible, World } from "./world.ts";

const environments = ["staging", "production"];
const environment = fc.constantFrom(...environments);
const sha = fc.constantFrom("1", "2", "3");
const owner = fc.constantFrom("ann", "bob", "cleo");
const place = fc.nat({ max: 7 });
/** Counted from the newest: stale ones are tried too, but less often. */
const hold = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 5 }) });

const series = fc.constantFrom(1, 2, 3);
const what = fc.oneof(
  { weight: 4, arbitrary: fc.constant("listened to" as const) },
  { weight: 1, arbitrary: fc.constantFrom("not listened to" as const, "broken inside" as const) },
);

const steps: readonly (readonly [weight: number, fc.Arbitrary<Step>])[] = [
  [3, fc.record({ kind: fc.constant("wish for a check" as const), sha, name: fc.constantFrom("lint", "test") })],
  [4, fc.record({ kind: fc.constant("wish for a deployment" as const), sha, environment, automatic: fc.boolean() })],
  [3, fc.record({ kind: fc.constant("open the gates" as const), environment })],
  [1, fc.record({ kind: fc.constant("shut the gates" as const), environment })],
  [6, fc.record({ kind: fc.constant("claim" as const), owner })],
  [2, fc.record({ kind: fc.constant("beat" as const), hold })],
  [
    5,
    fc.record({
      kind: fc.constant("finish" as const),
      hold,
      outcome: fc.constantFrom("passed" as const, "failed" as const),
    }),
  ],
  [2, fc.record({ kind: fc.constant("put back" as const), hold, pause: fc.constantFrom(0, 10_000) })],
  [2, fc.record({ kind: fc.constant("cancel" as const), run: place, by: fc.constantFrom("mira", "octocat") })],
  [2, fc.record({ kind: fc.constant("retry" as const), run: place })],
  [2, fc.record({ kind: fc.constant("time passes" as const), milliseconds: fc.constantFrom(1_000, 9_000, 15_001) })],
  [2, fc.record({ kind: fc.constant("reap" as const) })],
  [1, fc.record({ kind: fc.constant("restart" as const) })],
  [4, fc.record({ kind: fc.constant("receive" as const), series, what })],
  [2, fc.record({ kind: fc.constant("receive and die" as const), series, what, wasTime: fc.boolean() })],
  [4, fc.record({ kind: fc.constant("claim receipts" as const), owner, limit: fc.integer({ min: 1, max: 3 }) })],
  [1, fc.record({ kind: fc.constant("extend leases" as const), owner })],
  [
    4,
    fc.record({
      kind: fc.constant("settle" as const),
      claim: hold,
      state: fc.constantFrom("handled" as const, "failed" as const),
    }),
  ],
  [2, fc.record({ kind: fc.constant("try again later" as const), claim: hold, wait: fc.constantFrom(1_000, 7_000) })],
];

interface Holder {
  model: Model;
  /** As they were in the database before. */
  runs: readonly ModelRun[];
}

/** One step, done to both; what must be true of every database is looked at after each. */
class Happens implements fc.AsyncCommand<Holder, World> {
  readonly #step: Step;

  constructor(step: Step) {
    this.#step = step;
  }

  check({ model }: Readonly<Holder>): boolean {
    const step = this.#step;
    if ("hold" in step) return step.hold < model.holds.length;
    if ("claim" in step) return step.claim < model.webhooks.claims.length;
    return "run" in step ? step.run < model.runs.length : true;
  }

  async run(holder: Holder, world: World): Promise<void> {
    const before = holder.runs;
    const step = counted(this.#step, holder.model);
    const [model, answer] = after(holder.model, step);
    holder.model = model;
    expect(await world.do(step)).toEqual(answer);
    const now = await world.runs();
    holder.runs = now;
    expect(now).toEqual(visible(model));
    expect(await world.receipts()).toEqual(model.webhooks.receipts);
    expect(await Promise.all(environments.map((name) => world.live(name)))).toEqual(
      environments.map((name) => live(model, name)),
    );
    expect(brokenRules(before, now, step)).toEqual([]);
  }

  toString(): string {
    return JSON.stringify(this.#step);
  }
}

/** Holds and claims are drawn from the newest, and named from the oldest. */
function counted(step: Step, { holds, webhooks }: Model): Step {
  if ("hold" in step) return { ...step, hold: holds.length - 1 - step.hold };
  if ("claim" in step) return { ...step, claim: webhooks.claims.length - 1 - step.claim };
  return step;
}

/** What no step may do, said without the model: it could be wrong in the same way. */
function brokenRules(before: readonly ModelRun[], now: readonly ModelRun[], step: Step): readonly string[] {
  const broken: string[] = [];
  const lanes = now.filter((run) => run.kind === "deployment" && run.state === "running").map((run) => run.name);
  if (new Set(lanes).size < lanes.length) broken.push(`two run in one lane: ${lanes.join()}`);
  if (now.length < before.length) broken.push("a run is gone");
  for (const [index, run] of now.entries()) {
    const was = before[index];
    const isChanged = was !== undefined && JSON.stringify(was) !== JSON.stringify({ ...run, wanted: was.wanted });
    if (was?.state === "finished" && isChanged && step.kind !== "retry") broken.push(`${index} had ended and changed`);
    if (was !== undefined && (run.version < was.version || run.wanted < was.wanted)) broken.push(`${index} went back`);
    if (was !== undefined && was.state !== run.state && (run.version === was.version || run.wanted === was.wanted))
      broken.push(`${index} changed and nobody is told`);
    if (was !== undefined && run.attempts.length < was.attempts.length) broken.push(`${index} has lost an attempt`);
    if ((run.state === "running") !== (run.attempts.at(-1)?.isOver === false)) broken.push(`${index}: its attempt does not fit`);
    if ((run.state === "running") !== (run.owner !== null)) broken.push(`${index}: its owner does not fit`);
    if (run.kind === "deployment" && run.attempts.length > 1) broken.push(`${index} was repeated`);
  }
  return broken;
}

describe.each(engines())("runs and receipts on %s, whatever happens in whatever order", (_name, storage) => {
  it("are what the model says, after every step", async () => {
    const world = await World.open(storage);
    const commands = steps.flatMap(([weight, step]) =>
      Array<fc.Arbitrary<Happens>>(weight).fill(step.map((it) => new Happens(it))),
    );
    let done = 0;
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: "max" }), async (sequence) => {
        await world.clear();
        await fc.asyncModelRun(() => ({ model: { model: empty, runs: [] }, real: world }), sequence);
        done += 1;
      }),
      // A failure is told with its seed in time, even where the machine is too busy to find the shortest sequence.
      { numRuns: storage.engine === "sqlite" ? 150 : 20, interruptAfterTimeLimit: 60_000 },
    );
    await world.close();
    expect(done).toBeGreaterThan(0);
  }, 120_000);
});
