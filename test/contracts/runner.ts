import { describe, expect, it } from "@jest/globals";
import type { AnyRunner, CheckOrder } from "../../src/runners/runner.ts";
import { type RecordingIo, recordingIo } from "../runners/order.ts";
import { until } from "../support/until.ts";

/** A world of its own for one test, with a place in which checks work. */
export interface RunnerWorld {
  readonly runner: AnyRunner;
  /** How a check behaves there: `waits` works until `release`, and then passes. Each writes `hello` if what runs it has a log by then. */
  options(behaviour: "passes" | "fails" | "waits"): unknown;
  order(more?: Partial<CheckOrder>): Promise<CheckOrder>;
  /** Lets checks that wait pass. */
  release(): Promise<void>;
  /** How many works of ours go on there at present. */
  working(): Promise<number>;
  /** How many were ever started. */
  started(): Promise<number>;
  /** True for a place that goes on while the server is down. */
  readonly survives: boolean;
  /** Options that do not work, with the words by which the author understands. */
  readonly refused: readonly { readonly options: unknown; readonly says: RegExp }[];
  /** What must be seen nowhere. */
  readonly secrets: readonly string[];
}

/** What every runner keeps to; `open` makes a new world for each test and removes it afterwards. */
export function keepsToTheContract(open: () => Promise<RunnerWorld>): void {
  describe("like every runner", () => {
    it("passes a check that is fine, and shows what it said", async () => {
      const { runner, options, order, working } = await open();
      const io = recordingIo();

      expect(await runner.run(options("passes"), await order(), io)).toEqual({ kind: "passed" });

      expect(io.log).toContain("hello");
      expect(await working()).toBe(0);
    });

    it("fails a check that fails, in words for its author", async () => {
      const { runner, options, order } = await open();
      const io = recordingIo();

      expect(await runner.run(options("fails"), await order(), io)).toMatchObject({
        kind: "failed",
        what: expect.stringMatching(/^\S.{3,100}$/),
      });

      expect(io.log).toContain("hello");
    });

    it("ends each step that it begins, before the next", async () => {
      const { runner, options, order } = await open();
      const io = recordingIo();

      await runner.run(options("passes"), await order(), io);

      const steps = io.log.filter((line) => /^[<>] /.test(line)).map((line) => line.slice(0, 1));
      expect(steps.length).toBeGreaterThan(1);
      expect(steps.join("")).toMatch(/^(><)+$/);
    });

    it("starts nothing when it is cancelled before it begins", async () => {
      const { runner, options, order, started } = await open();
      const stop = AbortSignal.abort("superseded");

      await expect(runner.run(options("passes"), await order(), recordingIo({ stop }))).rejects.toBe("superseded");

      expect(await started()).toBe(0);
    });

    it("ends what works when it is cancelled, and then throws the reason", async () => {
      const { runner, options, order, working } = await open();
      const stopping = new AbortController();
      const io = recordingIo({ stop: stopping.signal });
      const run = runner.run(options("waits"), await order(), io);
      await until("the check works", async () => (await working()) === 1);

      stopping.abort("superseded");

      await expect(run).rejects.toBe("superseded");
      expect(await working()).toBe(0);
      expect(io.log.at(-1)).toBe("< null");
      // Should it be wanted again, it needs a new start.
      expect(io.kept()).toBeNull();
    });

    it("ends what works when its time is over", async () => {
      const { runner, options, order, working, started } = await open();

      const ending = await runner.run(options("waits"), await order({ timeout: 300 }), recordingIo());

      expect(ending).toEqual({ kind: "failed", what: "timed out after 300 ms" });
      expect([await started(), await working()]).toEqual([1, 0]);
    });

    it("ends as if nothing had happened when the server is restarted in the middle", async () => {
      const { runner, options, order, working, started, release, survives } = await open();
      const stopping = new AbortController();
      const before = recordingIo({ stop: stopping.signal });
      const broken = runner.run(options("waits"), await order(), before);
      await until("the check works", async () => (await working()) === 1);
      await until("it can be found again", () => !survives || before.kept() !== null);
      stopping.abort("shutdown");
      await expect(broken).rejects.toBe("shutdown");
      expect(await working()).toBe(survives ? 1 : 0);

      const after = recordingIo({ remembered: before.kept() });
      const again = runner.run(options("waits"), await order(), after);
      await until("it works (again)", async () => (await working()) === 1);
      await release();

      expect(await again).toEqual({ kind: "passed" });
      expect(after.log).toContain("hello");
      expect([await started(), await working()]).toEqual([survives ? 1 : 2, 0]);
    });

    it("asks for no second build when the server dies before it could remember the first", async () => {
      const { runner, options, order, working, started, release, survives } = await open();
      if (!survives) return;
      const before = recordingIo({ diesWhen: async () => (await started()) > 0 });
      await expect(runner.run(options("waits"), await order(), before)).rejects.toThrow("the server died");
      await until("the check works", async () => (await working()) === 1);

      const again = runner.run(options("waits"), await order({ attempt: 2 }), recordingIo({ remembered: before.kept() }));
      await release();

      expect(await again).toEqual({ kind: "passed" });
      expect([await started(), await working()]).toEqual([1, 0]);
    });

    it("stops what nobody remembered, when it is not wanted any more by the time the server is back", async () => {
      const { runner, options, order, working, started, survives } = await open();
      if (!survives) return;
      const before = recordingIo({ diesWhen: async () => (await started()) > 0 });
      await expect(runner.run(options("waits"), await order(), before)).rejects.toThrow("the server died");
      await until("the check works", async () => (await working()) === 1);

      const after = recordingIo({ remembered: before.kept(), stop: AbortSignal.abort("superseded") });
      await expect(runner.run(options("waits"), await order({ attempt: 2 }), after)).rejects.toBe("superseded");

      expect([await started(), await working(), after.kept()]).toEqual([1, 0, null]);
    });

    it("refuses what cannot work in words that its author understands, and starts nothing", async () => {
      const { runner, options, order, started, refused } = await open();
      const unknown = { options: { ...Object(options("passes")), colour: "red" }, says: /with: .*colour/ };

      for (const { options: wrong, says } of [unknown, ...refused]) {
        expect(await runner.run(wrong, await order(), recordingIo())).toEqual({
          kind: "failed",
          what: expect.stringMatching(says),
        });
      }

      expect(await started()).toBe(0);
    });

    it("reads once more the options that it has read", async () => {
      const { runner, options } = await open();
      const read = runner.options.parse(options("passes"));

      expect(runner.options.parse(read)).toEqual(read);
    });

    it("shows its secrets nowhere", async () => {
      const { runner, options, order, secrets } = await open();
      const ios: RecordingIo[] = [];
      const endings: unknown[] = [];
      const refusing = async () => new Response("no", { status: 403 });
      const breaking = async () => {
        throw new Error("out of order");
      };
      for (const more of [{}, { fetch: refusing }, { fetch: breaking }, { secret: async () => null }]) {
        const io = recordingIo();
        ios.push(io);
        endings.push(await runner.run(options("fails"), await order(more), io).catch((error) => [error, String(error.stack)]));
      }

      const seen = JSON.stringify([endings, ios.map((io) => [io.log, io.kept()])]);
      for (const secret of secrets) expect(seen).not.toContain(secret);
    });
  });
}
