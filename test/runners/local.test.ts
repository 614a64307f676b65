import { mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { probeSandbox, type Sandbox } from "../../src/process/sandbox.ts";
import { runnerOptions, runners } from "../../src/runners/index.ts";
import { local } from "../../src/runners/local/local.ts";
import { sayTimeout, titleOf } from "../../src/runners/local/wording.ts";
import type { CheckEnding, CheckIo, CheckOrder } from "../../src/runners/runner.ts";

const probe = await probeSandbox();
const sandbox: Sandbox = probe.works ? probe.sandbox : { kind: "none" };
const sandboxedOnly = probe.works ? it : it.skip;
const skipped = probe.works ? "" : " (skipped: bubblewrap does not work here)";

let root: string;
let order: CheckOrder;
let log: string[];
let stopping: AbortController;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "signalbox-local-")));
  const workspace = join(root, "workspace");
  await mkdir(workspace);
  order = { workspace, readable: [], path: [], sandbox, mark: {}, env: { CI: "true" }, timeout: 60_000 };
  log = [];
  stopping = new AbortController();
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The log as people read it: steps with their ends, and the output between. */
const io = (onWrite: () => void = () => {}): CheckIo => ({
  stop: stopping.signal,
  write: async (output) => {
    log.push(...Buffer.from(output).toString("utf8").trim().split("\n"));
    onWrite();
  },
  step: async (name) => {
    log.push(`> ${name}`);
    return { end: async (exitCode) => void log.push(`< ${exitCode}`) };
  },
  remember: async () => {},
  remembered: null,
});

function runSteps(...steps: readonly (string | { readonly name: string; readonly run: string })[]): Promise<CheckEnding> {
  const named = steps.map((step) => (typeof step === "string" ? { name: null, run: step } : step));
  return local.run({ steps: named }, order, io());
}

describe("the runner local", () => {
  it("runs the steps one after the other and shows each in the log", async () => {
    expect(await runSteps({ name: "Install", run: "echo one" }, "echo two")).toEqual({ kind: "passed" });

    expect(log).toEqual(["> Install", "one", "< 0", "> echo two", "two", "< 0"]);
  });

  it("stops at the step that fails and names it", async () => {
    expect(await runSteps("echo one", { name: "Test", run: "exit 3" }, "echo never")).toEqual({
      kind: "failed",
      what: "Test exited with 3",
      exitCode: 3,
    });

    expect(log).toEqual(["> echo one", "one", "< 0", "> Test", "< 3"]);
  });

  it("ends a step at the first line that fails, and does not blame the line that it cannot know", async () => {
    expect(await runSteps("# comes first\n\necho one\nfalse\necho never\n")).toEqual({
      kind: "failed",
      what: "echo one … exited with 1",
      exitCode: 1,
    });

    expect(log).toEqual(["> echo one …", "one", "< 1"]);
  });

  it("gives the steps one workspace and one HOME, of their own", async () => {
    const first = 'echo "$CI"; cd "$HOME"; echo text > kept; mkdir "$TMPDIR/kept"';

    expect(await runSteps("echo text > here", first, 'cat here "$HOME/kept"; ls "$TMPDIR"')).toEqual({ kind: "passed" });

    expect(log.filter((line) => /^\w/.test(line))).toEqual(["true", "text", "text", "kept"]);
    expect(await readdir(order.workspace)).toEqual(["here"]);
  });

  it("puts the operator's tools first on PATH", async () => {
    order = { ...order, path: ["/opt/tools/bin"] };

    await runSteps('echo "$PATH"');

    expect(log[1]).toMatch(/^\/opt\/tools\/bin:/);
  });

  it("tells a step that was killed", async () => {
    expect(await runSteps({ name: "Test", run: "kill -9 $$" })).toEqual({
      kind: "failed",
      what: "Test was killed by SIGKILL (out of memory?)",
    });
    expect(await runSteps({ name: "Test", run: "kill -15 $$" })).toEqual({ kind: "failed", what: "Test was killed by SIGTERM" });

    expect(log).toEqual(["> Test", "< null", "> Test", "< null"]);
  });

  it("ends all steps together after the time-out", async () => {
    order = { ...order, timeout: 400 };

    expect(await runSteps("sleep 0.1", "echo started; sleep 60; echo never", "echo never")).toEqual({
      kind: "failed",
      what: "timed out after 400 ms",
    });

    expect(log).not.toContain("never");
    expect(log.at(-1)).toBe("< null");
  });

  it("ends everything when it is cancelled, and throws the reason", async () => {
    const run = local.run(
      { steps: [{ name: "Test", run: "echo started; sleep 60" }] },
      order,
      io(() => stopping.abort("closed")),
    );

    await expect(run).rejects.toBe("closed");

    expect(log).toEqual(["> Test", "started", "< null"]);
  });

  it("runs nothing when it is cancelled before", async () => {
    stopping.abort("closed");

    await expect(runSteps("echo never")).rejects.toBe("closed");

    expect(log).toEqual([]);
  });

  it("refuses steps that are none", async () => {
    expect(await local.run({}, order, io())).toMatchObject({ kind: "failed", what: expect.stringMatching(/^with\.steps: /) });
    expect(await runSteps("echo \0")).toEqual({ kind: "failed", what: "with.steps.0.run: holds a NUL; remove it" });
    expect(log).toEqual([]);
  });

  sandboxedOnly(`cannot write outside its folders${skipped}`, async () => {
    await runSteps(`touch "${root}/elsewhere" || true`);

    expect(await readdir(root)).not.toContain("elsewhere");
  });
});

describe("what a step is called", () => {
  it.each([
    [{ name: "Unit tests", run: "npm test" }, "Unit tests"],
    [{ name: null, run: " npm test\n" }, "npm test"],
    [{ name: null, run: "\n# install\n  npm ci\nnpm test\n" }, "npm ci …"],
    [{ name: null, run: "# nothing" }, "run"],
    [{ name: null, run: "x".repeat(60) }, "x".repeat(60)],
    [{ name: null, run: "x".repeat(61) }, `${"x".repeat(59)}…`],
    [{ name: "é".repeat(70), run: "" }, `${"é".repeat(59)}…`],
  ])("%j: %s", (step, title) => {
    expect(titleOf(step)).toBe(title);
  });
});

describe("a time-out in words", () => {
  it.each([
    [900_000, "15 min"],
    [5_400_000, "1 h 30 min"],
    [40_000, "40 s"],
    [61_000, "1 min 1 s"],
    [7_200_000, "2 h"],
    [400, "400 ms"],
  ])("%d: %s", (milliseconds, words) => {
    expect(sayTimeout(milliseconds)).toBe(words);
  });
});

describe("the list of runners", () => {
  it("gives local no options in the repository's file, where `run:` says it all", () => {
    expect([...runners.keys()]).toEqual([...runnerOptions.keys()]);
    expect(runnerOptions.get("local")?.safeParse({}).success).toBe(true);
    expect(runnerOptions.get("local")?.safeParse({ steps: [{ name: null, run: "true" }] }).success).toBe(false);
  });
});
