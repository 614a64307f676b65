import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { engines } from "../support/engines.ts";
import { play, steps } from "./machine.ts";

describe.each(engines())("whatever happens to deployments on %s", (_name, storage) => {
  it("keeps one at a time, its gates, its order and the truth", async () => {
    const clock = { now: Date.UTC(2026, 10, 20, 9) };
    // What survives a power cut is not the question here, and memory is faster than a disk.
    const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
    const folder = mkdtempSync(join(memory, "signalbox-model-"));
    const place = storage.engine === "sqlite" ? { folder, url: null } : await storage.place();
    const database = await storage.openAt(place, { clock: () => clock.now });
    let repository = 0;
    const started: Record<string, number> = {};
    try {
      const property = fc.asyncProperty(steps, async (sequence) => {
        repository += 1;
        for (const [kind, many] of Object.entries(await play(database, clock, repository, sequence)))
          started[kind] = (started[kind] ?? 0) + many;
      });
      await fc.assert(property, { numRuns: storage.engine === "sqlite" ? 1_000 : 1_000, interruptAfterTimeLimit: 16_000 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    expect(started.deploy).toBeGreaterThan(repository);
    expect(started.rollback).toBeGreaterThan(repository / 10);
  });
});
