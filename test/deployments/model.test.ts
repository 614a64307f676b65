import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { engines } from "../support/engines.ts";
import { play, type Started, type Step, steps } from "./machine.ts";

/** Seconds for each engine: as many sequences as fit. More of them: MODEL_SECONDS=600 npm test -- test/deployments/model */
const seconds = Number(process.env.MODEL_SECONDS ?? 15);
jest.setTimeout((seconds + 60) * 1_000);

const step = (kind: Step["kind"], a = 0, b = 0): Step => ({ kind, a, b });

/** Played first: one release is live everywhere, and the next one fails after the switch. Chance then takes it from there. */
const story: readonly Step[] = [
  ...[step("merge"), step("go on"), step("end"), step("go on"), step("end"), step("go on"), step("end"), step("others say")],
  ...[step("merge"), step("go on"), step("end", 0, 6), step("go on"), step("end"), step("report")],
];

describe.each(engines())("whatever happens to deployments on %s", (_name, storage) => {
  it("keeps one at a time, its gates, its order and the truth", async () => {
    const clock = { now: Date.UTC(2026, 10, 20, 9) };
    // What survives a power cut is not the question here, and memory is faster than a disk.
    const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "signalbox-model-"));
    const place = storage.engine === "sqlite" ? { folder, url: null } : await storage.place();
    const database = await storage.openAt(place, { clock: () => clock.now });
    const all: Started = { deploy: 0, rollback: 0, check: 0 };
    let repository = 0;
    try {
      const property = fc.asyncProperty(fc.noBias(steps), async (sequence) => {
        repository += 1;
        const { deploy, rollback, check } = await play(database, clock, repository, sequence);
        all.deploy += deploy;
        all.rollback += rollback;
        all.check += check;
      });
      await fc.assert(property, {
        numRuns: 1_000_000,
        interruptAfterTimeLimit: seconds * 1_000,
        examples: [[story]],
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    // It has not passed because nothing had happened.
    expect(all.deploy).toBeGreaterThan(repository);
    expect(all.rollback).toBeGreaterThan(0);
    expect(all.check).toBeGreaterThan(0);
  });
});
