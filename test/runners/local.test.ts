import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Caches, openCaches } from "../../src/process/cache.ts";
import { probeSandbox, type Sandbox } from "../../src/process/sandbox.ts";
import { runnerOptions, runners } from "../../src/runners/index.ts";
import { local } from "../../src/runners/local/local.ts";
import { titleOf } from "../../src/runners/local/wording.ts";
import type { CheckCache, CheckEnding, CheckIo, CheckOrder, Workplace } from "../../src/runners/runner.ts";
import { sayTimeout } from "../../src/runners/timeout.ts";
import { keepsToTheContract } from "../contracts/runner.ts";
import { processesNamed } from "../process/processes.ts";
import { orderWith } from "./order.ts";

const probe = await probeSandbox();
const sandbox: Sandbox = probe.works ? probe.sandbox : { kind: "none" };
const sandboxedOnly = probe.works ? it : it.skip;
const skipped = probe.works ? "" : " (skipped: bubblewrap does not work here)";

let root: string;
let place: Workplace;
let order: CheckOrder;
let log: string[];
let concealed: string[];
let stopping: AbortController;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "signalbox-local-")));
  const workspace = join(root, "workspace");
  await mkdir(workspace);
  place = { workspace, root: null, readable: [], path: [], sandbox, mark: {}, cache: null };
  order = orderWith({ checkOut: async () => place });
  log = [];
  concealed = [];
  stopping = new AbortController();
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The log as people read it: steps with their ends, and the output between. */
const io = (onWrite: () => void = () => {}): CheckIo => ({
  stop: stopping.signal,
  write: async (output) => {
    const text = Buffer.from(output).toString("utf8").trim();
    if (text === "") return;
    log.push(...text.split("\n"));
    onWrite();
  },
  step: async (name) => {
    log.push(`> ${name}`);
    return { end: async (exitCode) => void log.push(`< ${exitCode}`) };
  },
  conceal: (value) => void concealed.push(value),
  remember: async () => {},
  remembered: null,
});

function runSteps(...steps: readonly (string | { readonly name: string; readonly run: string })[]): Promise<CheckEnding> {
  const named = steps.map((step) => (typeof step === "string" ? { name: null, run: step } : step));
  return local.run({ steps: named }, order, io());
}

/** As the next run of the same check, in a workspace of its own. */
async function runNew(cache: readonly string[], ...steps: readonly string[]): Promise<CheckEnding> {
  place = { ...place, workspace: await mkdtemp(join(root, "workspace-")) };
  log = [];
  return local.run({ steps: steps.map((run) => ({ name: null, run })), cache }, order, io());
}

function cacheOf(caches: Caches): CheckCache {
  const key = (path: string) => ({ repository: 1, check: "test", path });
  return {
    restore: (path, to, stop) => caches.restore(key(path), to, stop),
    keep: (path, from) => caches.keep(key(path), from),
  };
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
    expect(await readdir(place.workspace)).toEqual(["here"]);
  });

  it("puts the operator's tools first on PATH", async () => {
    place = { ...place, path: ["/opt/tools/bin"] };

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

  it("reads workflow commands: what is to be masked is not shown, and the first error is told", async () => {
    const output = "echo ::add-mask::s3cret-value\necho ::group::Unit\necho '::error file=a.ts,line=3::Expected 2'\nexit 1";

    expect(await runSteps({ name: "Test", run: output })).toEqual({
      kind: "failed",
      what: "Test exited with 1: Expected 2 (a.ts:3)",
      exitCode: 1,
    });

    expect(concealed).toEqual(["s3cret-value"]);
    expect(log).toEqual(["> Test", "▾ Unit", "\x1b[31mError: Expected 2 (a.ts:3)\x1b[0m", "< 1"]);
  });

  it("leaves folders of HOME and of the workspace to the next run, when it passed", async () => {
    place = { ...place, cache: cacheOf(openCaches(join(root, "caches"))) };
    const cache = ["~/.npm", "build/out"];
    const leave = (text: string) => `mkdir -p ~/.npm build/out; echo ${text} > ~/.npm/file; echo ${text} > build/out/file`;
    const show = "cat ~/.npm/file build/out/file || true";

    await runNew(cache, leave("one"));
    expect(log.slice(0, 4)).toEqual([
      "> Restore cache",
      "~/.npm: nothing is kept yet",
      "build/out: nothing is kept yet",
      "< null",
    ]);
    expect(log.slice(-4)).toEqual(["> Keep cache", "~/.npm: kept", "build/out: kept", "< null"]);
    expect(await runNew(cache, `${show}; ${leave("two")}; exit 1`)).toMatchObject({ kind: "failed" });
    expect(log).toEqual(expect.arrayContaining(["~/.npm: restored", "one"]));
    expect(log).not.toContain("> Keep cache");
    await runNew(cache, show);

    expect(log.filter((line) => /^(one|two)$/.test(line))).toEqual(["one", "one"]);
  });

  it("goes on without a cache that does not work", async () => {
    const refuse = () => Promise.reject(new Error("the disk is broken"));
    place = { ...place, cache: { restore: refuse, keep: refuse } };

    expect(await runNew(["~/.npm"], "echo fine")).toEqual({ kind: "passed" });

    expect(log).toContain("fine");
    expect(log.filter((line) => line.startsWith("~/.npm: not"))).toHaveLength(2);
    expect(log.join()).not.toContain("broken");
  });

  it("ends what it began when it is cancelled while the cache is copied", async () => {
    const restore = async () => {
      stopping.abort("closed");
      throw stopping.signal.reason;
    };
    place = { ...place, cache: { restore, keep: () => Promise.reject(new Error("It did not pass")) } };

    await expect(runNew(["~/.npm"], "echo never")).rejects.toBe("closed");

    expect(log).toEqual(["> Restore cache", "< null"]);
  });

  it("keeps nothing where nothing may be kept", async () => {
    expect(await runNew(["~/.npm"], "mkdir ~/.npm")).toEqual({ kind: "passed" });

    expect(log.filter((line) => line.startsWith(">"))).toEqual(["> mkdir ~/.npm"]);
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

describe("the runner local, once more,", () => {
  keepsToTheContract(async () => {
    const token = `signalbox-contract-${randomUUID()}`;
    const workspaces: string[] = [];
    const checkOut = async (): Promise<Workplace> => {
      const workspace = join(root, `workspace-${workspaces.length + 1}`);
      await mkdir(workspace);
      workspaces.push(workspace);
      return { ...place, workspace };
    };
    const behaviours = {
      passes: ["echo hello", "true"],
      fails: ["echo hello", "exit 3"],
      // The token in its command line is how it is found among the machine's processes.
      waits: ["echo hello", `while [ ! -e ${token} ]; do sleep 0.02; done`],
    };
    return {
      runner: local,
      options: (behaviour) => ({ steps: behaviours[behaviour].map((run) => ({ name: null, run })) }),
      order: async (more) => orderWith({ checkOut, ...more }),
      release: async () => {
        for (const workspace of workspaces) await writeFile(join(workspace, token), "");
      },
      working: async () => Math.min(1, (await processesNamed(token)).length),
      started: async () => workspaces.length,
      survives: false,
      refused: [{ options: {}, says: /^with\.steps: / }],
      secrets: [],
    };
  });
});

describe("a check from a fork", () => {
  sandboxedOnly(`has no network${skipped}`, async () => {
    // Without one there is nothing but loopback.
    const devices = "cut -d: -f1 -s /proc/net/dev | tr -d ' ' | sort | tr '\\n' ' '";
    await runSteps(devices);
    const own = log[1];
    log = [];
    order = { ...order, trust: "fork" };
    await runSteps(devices);

    expect(log[1]).toBe("lo");
    expect(own).not.toBe("");
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
  it("knows local and the three that work elsewhere", () => {
    expect([...runners].map(([name, runner]) => [name, runner.name])).toEqual(
      ["local", "jenkins", "travis", "webhook"].map((name) => [name, name]),
    );
    expect([...runnerOptions.keys()]).toEqual([...runners.keys()]);
  });

  it("gives local no options in the repository's file, where `run:` says it all", () => {
    expect(runnerOptions.get("local")?.safeParse({}).success).toBe(true);
    expect(runnerOptions.get("local")?.safeParse({ steps: [{ name: null, run: "true" }] }).success).toBe(false);
  });
});
