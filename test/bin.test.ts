import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

/** What stands in for the server and the command line: it says who it is, and ends as it is told. */
const ENTRY = `
  import "node:sqlite";
  const words: readonly string[] = process.argv.slice(2);
  process.on("SIGINT", () => { console.log("SIGINT"); process.exit(5); });
  if (words.includes("wait")) setInterval(() => {}, 1000);
  if (words.includes("fail")) process.exitCode = 3;
  console.log(JSON.stringify({ entry: import.meta.filename, words, pid: process.pid, flags: process.execArgv, folder: process.cwd() }));
`;

describe("bin/signalbox", () => {
  let home = "";
  const started: Running[] = [];
  beforeEach(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-bin-")));
    cpSync(fileURLToPath(new URL("../bin", import.meta.url)), join(home, "bin"), { recursive: true });
    writeFileSync(join(home, "package.json"), '{ "type": "module" }');
    for (const entry of ["src/main.ts", "src/doors/cli.ts", "demo/main.ts"]) {
      mkdirSync(join(home, entry, ".."), { recursive: true });
      writeFileSync(join(home, entry), ENTRY);
    }
    // A Node of our own that says it is an older one: the file itself is what is tested, not Node 20.
    writeFileSync(
      join(home, "older.cjs"),
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } });",
    );
  });
  afterEach(() => {
    for (const { pid } of started.splice(0)) endGroup(pid);
    rmSync(home, { recursive: true });
  });

  it("can be started without naming Node", () => {
    expect(statSync(new URL("../bin/signalbox", import.meta.url)).mode & 0o111).toBe(0o111);
  });

  describe.each(["24 or newer", "older"] as const)("with a running Node that is %s", (age) => {
    beforeEach(() => {
      if (age === "older") installNode();
    });

    it.each([
      [["start"], "src/main.ts", []],
      [["start", "now"], "src/main.ts", ["now"]],
      [["demo", "--once"], "demo/main.ts", ["--once"]],
      [["why", "acme/shop", "two words"], "src/doors/cli.ts", ["why", "acme/shop", "two words"]],
      [["--help"], "src/doors/cli.ts", ["--help"]],
      [[], "src/doors/cli.ts", []],
    ])("%j starts %s", async (argv, entry, words) => {
      const { code, said, complained } = await finished(start(argv, age));
      expect(JSON.parse(said)).toMatchObject({ entry: join(home, entry), words });
      expect({ code, complained }).toEqual({ code: 0, complained: "" });
    });

    it("gives Node's newest objects little room in a server, as one process where that is possible", async () => {
      const running = start(["start"], age);
      const { flags, pid } = JSON.parse((await finished(running)).said);
      expect(flags).toContain("--max-semi-space-size=4");
      expect(pid === running.pid).toBe(age === "24 or newer");
      expect(JSON.parse((await finished(start(["why"], age))).said).flags).not.toContain("--max-semi-space-size=4");
    });

    it("hands on the exit code", async () => {
      expect(await finished(start(["fail"], age))).toMatchObject({ code: 3, signal: null });
    });

    it("ends by the signal that ended the work", async () => {
      const running = start(["start", "wait"], age);
      await once(running.stdout, "data");
      running.kill("SIGTERM");
      expect(await finished(running)).toMatchObject({ code: null, signal: "SIGTERM" });
    });

    it("passes a signal on, and lets the work end in its own way", async () => {
      const running = start(["start", "wait"], age);
      await once(running.stdout, "data");
      running.kill("SIGINT");
      expect(await finished(running)).toMatchObject({ code: 5, said: "SIGINT\n" });
    });

    it("works through a link and from any folder", async () => {
      const elsewhere = join(home, "elsewhere");
      mkdirSync(elsewhere);
      symlinkSync("../bin/signalbox", join(elsewhere, "box"));
      const { said } = await finished(start(["start"], age, { bin: join(elsewhere, "box"), folder: elsewhere }));
      expect(JSON.parse(said)).toMatchObject({ entry: join(home, "src/main.ts"), folder: elsewhere });
    });
  });

  it("leaves nobody behind: the work of an older Node ends with it", async () => {
    installNode();
    const running = start(["start", "wait"], "older");
    const [said] = await once(running.stdout, "data");
    const { pid } = JSON.parse(String(said));
    expect(pid).not.toBe(running.pid);
    running.kill("SIGTERM");
    await finished(running);
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("says what to do when there is no Node that is new enough", async () => {
    const { code, said, complained } = await finished(start(["start"], "older"));
    expect({ code, said }).toEqual({ code: 1, said: "" });
    expect(complained).toContain(`signalbox needs Node 24 or newer; this is Node 20.19.0, and there is none in ${home}`);
    expect(complained).toContain(`Run "npm ci" in ${home}`);
  });

  it("says what to do when the project's Node does not start here", async () => {
    mkdirSync(join(home, "node_modules/.bin"), { recursive: true });
    writeFileSync(join(home, "node_modules/.bin/node"), "for another machine");
    const { code, complained } = await finished(start(["start"], "older"));
    expect(code).toBe(1);
    expect(complained).toContain("node does not start (EACCES)");
  });

  function installNode(): void {
    mkdirSync(join(home, "node_modules/.bin"), { recursive: true });
    symlinkSync(process.execPath, join(home, "node_modules/.bin/node"));
  }

  function start(argv: readonly string[], age: string, { bin = join(home, "bin/signalbox"), folder = home } = {}) {
    const options = age === "older" ? ["--require", join(home, "older.cjs")] : [];
    const running = spawn(process.execPath, [...options, bin, ...argv], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    started.push(running);
    return running;
  }
});

type Running = ChildProcessByStdio<null, Readable, Readable>;

/** Whatever a test that failed left running. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(Error.isError(error) && "code" in error && error.code === "ESRCH")) throw error;
  }
}

async function finished(child: Running) {
  let said = "";
  let complained = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  child.stderr.on("data", (chunk) => {
    complained += chunk;
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, said, complained };
}
