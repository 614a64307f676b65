import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Command, captureCommand, spawnCommand } from "../../src/process/spawn.ts";
import { until } from "../support/until.ts";
import { processesNamed } from "./processes.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-spawn-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** `sleep` takes it as a time and we find it in the process table. */
function uniqueTime(): string {
  return `${randomInt(100_000, 999_999)}.${randomInt(100_000, 999_999)}`;
}

function shell(script: string, env: Record<string, string> = { PATH: "/usr/bin:/bin" }): Command {
  return { argv: ["/bin/sh", "-c", script], cwd: folder, env };
}

async function run(command: Command, stop = new AbortController().signal, grace?: number) {
  const pieces: Uint8Array[] = [];
  const write = async (output: Uint8Array) => void pieces.push(Buffer.from(output));
  const ending = await spawnCommand(command, { write, stop }, grace);
  return { ending, output: Buffer.concat(pieces).toString() };
}

describe("a command that runs to its end", () => {
  it("says how it ended", async () => {
    expect((await run(shell("exit 7"))).ending).toEqual({ kind: "exited", code: 7 });
    expect((await run(shell("kill -KILL $$"))).ending).toEqual({ kind: "killed", signal: "SIGKILL" });
    expect((await run({ ...shell(""), argv: ["no-such-program"] })).ending).toEqual({
      kind: "missing",
      program: "no-such-program",
    });
  });

  it("cannot start in a folder that does not exist", async () => {
    await expect(run({ ...shell("true"), cwd: join(folder, "nowhere") })).rejects.toThrow(/nowhere is not a folder/);
  });

  it("cannot start when it may not be executed", async () => {
    await expect(run({ ...shell(""), argv: ["/etc/passwd"] })).rejects.toThrow("/etc/passwd cannot be started");
  });

  it("has its output and errors in the order in which they were written", async () => {
    const { output } = await run(shell("i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i+1)); echo $i >&2; i=$((i+1)); done"));
    expect(output.trim().split("\n").map(Number)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  });

  it("may open its output and errors by name", async () => {
    expect((await run(shell("echo out > /dev/stdout && echo err > /dev/stderr"))).output).toBe("out\nerr\n");
  });

  it("sees the given environment and its mark, nothing of ours", async () => {
    const { output } = await run({ argv: ["/usr/bin/env"], cwd: folder, env: { ONE: "1", "odd name": "two words" } });
    expect(output.trim().split("\n").sort()).toEqual([
      "ONE=1",
      expect.stringMatching(/^SIGNALBOX_COMMAND=/),
      "odd name=two words",
    ]);
  });

  it("reads its input, and nothing when there is none", async () => {
    expect((await run({ ...shell("cat"), input: "hello" })).output).toBe("hello");
    expect((await run(shell("cat"))).output).toBe("");
  });

  it("does not need to read its input", async () => {
    expect((await run({ ...shell("exit 0"), input: "x".repeat(1_000_000) })).ending).toEqual({ kind: "exited", code: 0 });
  });

  it("streams 500 MB at the pace of the one who takes it, without keeping it", async () => {
    let bytes = 0;
    let most = 0;
    let taking = 0;
    const before = process.memoryUsage().arrayBuffers;
    const write = async (output: Uint8Array) => {
      expect(++taking).toBe(1);
      await new Promise(setImmediate);
      bytes += output.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      taking--;
    };
    await spawnCommand(shell("head -c 500000000 /dev/zero"), { write, stop: new AbortController().signal });
    expect(bytes).toBe(500_000_000);
    expect(most).toBeLessThan(100_000_000);
  }, 60_000);
});

describe("what a command leaves behind", () => {
  it("is all of its output, also when it is taken long after the end", async () => {
    let bytes = 0;
    const write = async (output: Uint8Array) => {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 700));
      bytes += output.length;
    };
    await spawnCommand(shell("head -c 120000 /dev/zero"), { write, stop: new AbortController().signal });
    expect(bytes).toBe(120_000);
  });

  /** Goes on when the daemon runs, and ends before it. */
  const untilBegun = "while ! [ -e begun ]; do :; done; echo last; exit 3";
  const ended = { ending: { kind: "exited", code: 3 }, output: "last\n" };

  it.each([
    ["a child that holds the output open", (time: string) => `(touch begun; exec sleep ${time}) &`],
    [
      "a daemon in a session of its own",
      (time: string) => `setsid sh -c 'touch begun; exec sleep ${time}' >/dev/null 2>&1 </dev/null &`,
    ],
    [
      "a daemon that was forked twice",
      (time: string) => `setsid sh -c '(touch begun; exec sleep ${time}) & exit' >/dev/null 2>&1 &`,
    ],
  ])("is gone when it settles: %s", async (_, script) => {
    const time = uniqueTime();
    expect(await run(shell(`${script(time)} ${untilBegun}`))).toEqual(ended);
    expect(await processesNamed(time)).toEqual([]);
  });

  it("does not keep it waiting when it hid itself and holds the output open", async () => {
    const time = uniqueTime();
    const result = await run(shell(`env -i setsid /bin/sh -c '/bin/touch begun; exec /bin/sleep ${time}' & ${untilBegun}`));
    const hidden = await processesNamed(time);
    for (const pid of hidden) process.kill(pid, "SIGKILL");
    expect(result).toEqual(ended);
    expect(hidden).toHaveLength(1);
  });

  it("does not keep it waiting when it hid itself and writes for ever", async () => {
    const time = uniqueTime();
    const script = `/bin/touch begun; while echo ${time}; do :; done`;
    const { ending } = await run(shell(`env -i setsid /bin/sh -c '${script}' & ${untilBegun}`));
    await until("the writer met a closed pipe", async () => (await processesNamed(time)).length === 0);
    expect(ending).toEqual(ended.ending);
  });
});

describe("a command that is stopped", () => {
  it("is not started when it was stopped before", async () => {
    const { ending } = await run(shell("touch started"), AbortSignal.abort("too late"));
    expect(ending).toEqual({ kind: "stopped", reason: "too late" });
    await expect(readFile(join(folder, "started"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is asked first and may end in its own way", async () => {
    const stopping = new AbortController();
    let said = "";
    const write = async (output: Uint8Array) => {
      said += Buffer.from(output);
      if (said.includes("ready")) stopping.abort("superseded");
    };
    const command = shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    expect(await spawnCommand(command, { write, stop: stopping.signal })).toEqual({ kind: "stopped", reason: "superseded" });
    expect(said).toBe("ready\nbye\n");
  });

  it("is killed with all its processes when it does not listen", async () => {
    const time = uniqueTime();
    const stopping = new AbortController();
    const write = async () => stopping.abort("cancelled");
    const command = shell(`trap '' TERM; setsid sleep ${time} & echo ready; while :; do sleep 0.05; done`);
    expect(await spawnCommand(command, { write, stop: stopping.signal }, 100)).toEqual({ kind: "stopped", reason: "cancelled" });
    expect(await processesNamed(time)).toEqual([]);
  });

  it("is ended when nobody takes its output, and passes on why", async () => {
    const time = uniqueTime();
    const write = () => Promise.reject(new Error("the disk is full"));
    await expect(spawnCommand(shell(`sleep ${time} & yes`), { write, stop: new AbortController().signal })).rejects.toThrow(
      "the disk is full",
    );
    expect(await processesNamed(time)).toEqual([]);
  });
});

describe("a command that is captured", () => {
  it("keeps output and errors apart", async () => {
    expect(await captureCommand(shell("echo out; echo err >&2; exit 2"))).toEqual({
      ending: { kind: "exited", code: 2 },
      output: "out\n",
      errors: "err\n",
    });
  });

  it("is ended when it says more than the limit", async () => {
    await expect(captureCommand(shell("yes"), { limit: 1_000_000 })).rejects.toThrow("/bin/sh said more than 1000000 bytes");
  });

  it("tells a missing program and a stop", async () => {
    const nothing = { output: "", errors: "" };
    expect(await captureCommand({ ...shell(""), argv: ["no-such-program"] })).toEqual({
      ending: { kind: "missing", program: "no-such-program" },
      ...nothing,
    });
    const stopping = new AbortController();
    const captured = captureCommand(shell("touch ready; exec sleep 1000"), { stop: stopping.signal });
    await until("it runs", () => existsSync(join(folder, "ready")));
    stopping.abort("enough");
    expect(await captured).toEqual({ ending: { kind: "stopped", reason: "enough" }, ...nothing });
  });
});
