import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

describe("signalbox config check", () => {
  const cli = join(import.meta.dirname, "..", "..", "src", "doors", "cli.ts");
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "signalbox-test-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function checked(text: string): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
    await writeFile(join(folder, "file.yml"), text);
    return run("file.yml");
  }

  function run(file: string): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
    const env = { PATH: process.env.PATH ?? "", NODE_OPTIONS: "--disable-warning=ExperimentalWarning" };
    return new Promise((resolve) => {
      execFile(process.execPath, [cli, "config", "check", file], { cwd: folder, env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), lines: `${stdout}${stderr}`.trim().split("\n") }),
      );
    });
  }

  it("tells every mistake of every part of a file, each with its line", async () => {
    const text = `checks:
  test: { run: 5, timeout: never }
  config: { run: "true" }
  e2e: { runner: jenkin, with: {} }
environments:
  staging: { trigger: merged, target: shh, with: {} }
  production: { after: stagin, target: directory, with: { path: ../../etc }, color: red }
automerge: { method: squish }
notify:
  - { slack: "not a name", events: [deployed, exploded] }
`;
    const { code, lines } = await checked(text);
    expect(code).toBe(1);
    for (const [line, part] of [
      [2, "checks.test.run"],
      [2, "checks.test.timeout"],
      [3, "checks.config"],
      [4, 'checks.e2e.runner: "jenkin" is not a runner; did you mean "jenkins"?'],
      [6, "environments.staging.trigger"],
      [6, 'environments.staging.target: "shh" is not a target; did you mean "ssh"?'],
      [7, 'environments.production.after: "stagin" is not an environment of this file; did you mean "staging"?'],
      [7, "environments.production.with.path"],
      [7, "environments.production.color"],
      [8, "automerge.method"],
      [10, "notify[0].slack"],
      [10, "notify[0].events[1]"],
    ] as const)
      expect(lines).toContainEqual(expect.stringContaining(`file.yml:${line}: ${part}`));
  });

  it("tells all of them, however many there are", async () => {
    const { code, lines } = await checked(Array.from({ length: 45 }, (_, at) => `unknown_${at}: 1`).join("\n"));
    expect(code).toBe(1);
    expect(lines).toHaveLength(45);
    expect(lines.at(-1)).toMatch(/^file\.yml:45: unknown_44: is not a key here/);
  });

  it("says that a file is right, and what is in it", async () => {
    expect(await checked(`checks: { test: { run: "true" } }`)).toEqual({
      code: 0,
      lines: ["file.yml is right: 1 check (test), no environments"],
    });
  });

  it("says what to do when there is no file", async () => {
    const { code, lines } = await run("nowhere.yml");
    expect(code).toBeGreaterThan(0);
    expect(lines.join("\n")).toContain("nowhere.yml cannot be read; call this in the repository's folder, or name the file");
  });
});
