import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { engines, type Storage } from "../support/engines.ts";
import { play, type Started, type Step, steps } from "./machine.ts";

/** Seconds for each engine: as many sequences as fit. More of them, and how many: MODEL_SECONDS=600 npm test -- test/deployments/model */
const seconds = Number(process.env.MODEL_SECONDS ?? 20);
jest.setTimeout((seconds + 60) * 1_000);

/** How many are played at once, each in a database of its own: PostgreSQL answers from other processes, so that waiting for it is no loss. */
const abreast = { sqlite: 1, postgres: 4 };

const step = (kind: Step["kind"], a = 0, b = 0): Step => ({ kind, a, b });

/** Played first: one release is live everywhere, and the next one fails after the switch. Chance then takes it from there. */
const story: readonly Step[] = [
  ...[step("merge"), step("go on"), step("end"), step("go on"), step("end"), step("go on"), step("end"), step("others say")],
  ...[step("merge"), step("go on"), step("end", 0, 6), step("go on"), step("end"), step("report")],
];

/** A gate shuts between the decision and the claim, and opens again by nothing but its own ring. */
const shutInBetween: readonly Step[] = [step("merge"), step("think"), step("lock"), step("claim"), step("unlock"), step("go on")];

describe.each(engines())("whatever happens to deployments on %s", (_name, storage) => {
  it("keeps one at a time, its gates, its order and the truth", async () => {
    const until = performance.now() + seconds * 1_000;
    const all = await Promise.all(Array.from({ length: abreast[storage.engine] }, (_, lane) => playMany(storage, lane, until)));
    const sum = (count: (one: Played) => number) => all.reduce((before, one) => before + count(one), 0);
    const [sequences, deploy, rollback, check] = [
      sum((one) => one.sequences),
      sum(({ started }) => started.deploy),
      sum(({ started }) => started.rollback),
      sum(({ started }) => started.check),
    ];
    if (process.env.MODEL_SECONDS !== undefined) console.log(storage.engine, { sequences, deploy, rollback, check });
    // It has not passed because nothing had happened.
    expect(deploy).toBeGreaterThan(sequences);
    expect(rollback).toBeGreaterThan(0);
    expect(check).toBeGreaterThan(0);
  });
});

interface Played {
  readonly sequences: number;
  readonly started: Started;
}

/** Plays sequences in one database until the time is over, each in a repository of its own. */
async function playMany(storage: Storage, lane: number, until: number): Promise<Played> {
  const clock = { now: Date.UTC(2026, 10, 20, 9) };
  // What survives a power cut is not the question here, and memory is faster than a disk.
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "signalbox-model-"));
  const place = storage.engine === "sqlite" ? { folder, url: null } : await storage.place();
  const database = await storage.openAt(place, { clock: () => clock.now, volatile: true });
  const started: Started = { deploy: 0, rollback: 0, check: 0 };
  let repository = 0;
  try {
    const property = fc.asyncProperty(fc.noBias(steps), async (sequence) => {
      repository += 1;
      const { deploy, rollback, check } = await play(database, clock, repository, sequence);
      started.deploy += deploy;
      started.rollback += rollback;
      started.check += check;
    });
    // In small lots, of which the first is played whatever the time: a busy machine plays fewer and misses nothing else.
    if (lane === 0) await fc.assert(property, { numRuns: 3, examples: [[story], [shutInBetween]] });
    while (performance.now() < until) await fc.assert(property, { numRuns: 2 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { sequences: repository, started };
}
