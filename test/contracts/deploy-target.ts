import { rm } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import type { Io } from "../../src/process/io.ts";
import type { AnyTarget, DeployOrder } from "../../src/targets/target.ts";

/** A world of its own for one test, in which `version` is what a visitor finds. */
export interface DeployWorld {
  readonly target: AnyTarget;
  readonly options: Readonly<Record<string, unknown>>;
  /** A commit whose deployment shows `version`; it says something before the old release is replaced, and a slow one leaves time to be cancelled then. */
  order(version: string, pace?: "slow"): Promise<DeployOrder>;
  /** What a visitor finds now; null when nothing is deployed. */
  live(): Promise<string | null>;
  /** The value of a secret that the options name; left out when they name none. */
  readonly secret?: string;
  /** Options that do not work, with the words by which the author understands. */
  readonly refused: readonly { readonly options: unknown; readonly says: RegExp }[];
}

/** What every deploy target keeps to; `open` makes a new world for each test and removes it afterwards. */
export function keepsToTheContract(open: () => Promise<DeployWorld>): void {
  describe("like every deploy target", () => {
    it("makes a commit live", async () => {
      const { target, options, order, live } = await open();

      expect(await target.deploy(options, await order("one"), recordingIo())).toMatchObject({ kind: "live" });

      expect(await live()).toBe("one");
    });

    it("can do the same once more", async () => {
      const { target, options, order, live } = await open();
      const one = await order("one");
      await target.deploy(options, one, recordingIo());

      expect(await target.deploy(options, one, recordingIo())).toMatchObject({ kind: "live" });

      expect(await live()).toBe("one");
    });

    it("does nothing when it is cancelled before it begins", async () => {
      const { target, options, order, live } = await open();
      await target.deploy(options, await order("one"), recordingIo());
      const stop = AbortSignal.abort("superseded");

      await expect(target.deploy(options, await order("two"), recordingIo({ stop }))).rejects.toBe("superseded");

      expect(await live()).toBe("one");
    });

    it("leaves what is live when it is cancelled on its way, and works again afterwards", async () => {
      const { target, options, order, live } = await open();
      await target.deploy(options, await order("one"), recordingIo());
      const stopping = new AbortController();
      const io = recordingIo({ stop: stopping.signal, onWrite: async () => stopping.abort("superseded") });

      await expect(target.deploy(options, await order("two", "slow"), io)).rejects.toBe("superseded");

      expect(await live()).toBe("one");
      expect(await target.deploy(options, await order("three"), recordingIo())).toMatchObject({ kind: "live" });
      expect(await live()).toBe("three");
    });

    it("lets a second deployment wait until the first is done", async () => {
      const { target, options, order, live } = await open();
      const [one, two] = [await order("one"), await order("two")];
      const events: string[] = [];
      const firstWorks = Promise.withResolvers<void>();
      const secondWaits = Promise.withResolvers<void>();

      const onFirst = () => {
        firstWorks.resolve();
        return secondWaits.promise;
      };
      const first = target.deploy(options, one, recordingIo({ onWrite: onFirst })).finally(() => events.push("first ended"));
      await firstWorks.promise;
      const onWrite = async (output: string) => {
        events.push(output.startsWith("Waiting for") ? "second waits" : "second works");
        secondWaits.resolve();
      };
      const second = target.deploy(options, two, recordingIo({ onWrite }));

      expect(await Promise.all([first, second])).toMatchObject([{ kind: "live" }, { kind: "live" }]);
      expect(events.slice(0, 3)).toEqual(["second waits", "first ended", "second works"]);
      expect(await live()).toBe("two");
    });

    it("can be cancelled while it waits for another", async () => {
      const { target, options, order, live } = await open();
      const firstWorks = Promise.withResolvers<void>();
      const secondEnded = Promise.withResolvers<void>();
      const onFirst = () => {
        firstWorks.resolve();
        return secondEnded.promise;
      };
      const first = target.deploy(options, await order("one"), recordingIo({ onWrite: onFirst }));
      await firstWorks.promise;
      const stopping = new AbortController();
      const io = recordingIo({ stop: stopping.signal, onWrite: async () => stopping.abort("superseded") });

      await expect(target.deploy(options, await order("two"), io)).rejects.toBe("superseded");
      secondEnded.resolve();

      expect(await first).toMatchObject({ kind: "live" });
      expect(await live()).toBe("one");
    });

    it("asks for no secret but those that its options name, and tells none", async () => {
      const { target, options, order, live, secret } = await open();
      const one = await order("one");
      const asked: string[] = [];
      const io = recordingIo();
      const secretOf = (name: string) => {
        asked.push(name);
        return one.secret(name);
      };

      const deployed = await target.deploy(options, { ...one, secret: secretOf }, io);

      expect(deployed).toMatchObject({ kind: "live" });
      expect(await live()).toBe("one");
      expect(asked.every((name) => JSON.stringify(options).includes(`"${name}"`))).toBe(true);
      expect(asked.length > 0).toBe(secret !== undefined);
      for (const line of (secret ?? "").split("\n").filter(Boolean))
        expect(`${JSON.stringify(deployed)}${io.text()}`).not.toContain(line);
    });

    it("puts back a release that was live, if it can, as often as it is asked", async () => {
      const { target, options, order, live } = await open();
      const one = await target.deploy(options, await order("one"), recordingIo());
      await target.deploy(options, await order("two"), recordingIo());
      if (target.restore === null || one.kind !== "live") return;

      for (const again of [await order("three"), await order("four")]) {
        await rm(again.workspace, { recursive: true });
        expect(await target.restore(options, one.release, again, recordingIo())).toEqual(one);
        expect(await live()).toBe("one");
      }
    });

    it.each([[{ path: "releases/20200101T000000Z-0000000" }], [{ path: "releases/../../etc" }], [null]])(
      "refuses to put back %j, which is not there",
      async (release) => {
        const { target, options, order, live } = await open();
        await target.deploy(options, await order("one"), recordingIo());
        if (target.restore === null) return;

        expect(await target.restore(options, release, await order("two"), recordingIo())).toEqual({
          kind: "refused",
          reason: expect.stringMatching(/deploy its commit again$/),
          live: "unchanged",
        });
        expect(await live()).toBe("one");
      },
    );

    it("takes away what it deployed, if it can, as often as it is asked, and deploys again afterwards", async () => {
      const { target, options, order, live } = await open();
      if (target.remove === null) return;
      await target.deploy(options, await order("one"), recordingIo());
      await target.deploy(options, await order("two"), recordingIo());

      for (const again of [await order("three"), await order("four")]) {
        await rm(again.workspace, { recursive: true });
        expect(await target.remove(options, again, recordingIo())).toEqual({ kind: "removed" });
        expect(await live()).toBeNull();
      }

      expect(await target.deploy(options, await order("five"), recordingIo())).toMatchObject({ kind: "live" });
      expect(await live()).toBe("five");
    });

    it("does not begin to take away what it deployed when it is cancelled before", async () => {
      const { target, options, order, live } = await open();
      if (target.remove === null) return;
      await target.deploy(options, await order("one"), recordingIo());
      const io = recordingIo({ stop: AbortSignal.abort("superseded") });

      await expect(target.remove(options, await order("two"), io)).rejects.toBe("superseded");

      expect(await live()).toBe("one");
    });

    it("refuses what cannot work in words that its author understands, and touches nothing", async () => {
      const { target, options, order, live, refused } = await open();
      await target.deploy(options, await order("one"), recordingIo());
      const unknown = { options: { ...options, colour: "red" }, says: /with: .*colour/ };

      for (const { options: wrong, says } of [unknown, ...refused]) {
        expect(await target.deploy(wrong, await order("two"), recordingIo())).toEqual({
          kind: "refused",
          reason: expect.stringMatching(says),
          live: "unchanged",
        });
      }

      expect(await live()).toBe("one");
    });
  });
}

/** The means of a run, without a run; `text` is what was written so far, `kept` what a restarted server would hand back. */
export function recordingIo({
  stop = new AbortController().signal,
  onWrite = async () => {},
  onRemember = async () => {},
}: {
  readonly stop?: AbortSignal;
  readonly onWrite?: (output: string) => Promise<void>;
  readonly onRemember?: (handle: unknown) => Promise<void>;
} = {}): Io & { text(): string; kept<Handle = unknown>(): Handle | null } {
  const pieces: Uint8Array[] = [];
  let kept: unknown = null;
  return {
    stop,
    write: async (output) => {
      // It may be overwritten once this has resolved.
      pieces.push(Buffer.from(output));
      await onWrite(Buffer.from(output).toString("utf8"));
    },
    // As the database does it: what cannot be JSON does not survive.
    remember: async (handle) => {
      kept = JSON.parse(JSON.stringify(handle));
      await onRemember(kept);
    },
    remembered: null,
    text: () => Buffer.concat(pieces).toString("utf8"),
    kept: <Handle>() => kept as Handle | null,
  };
}
