import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { staleFiles } from "./generate.ts";

const home = join(import.meta.dirname, "..");
const bin = (name: string) => join(home, "node_modules", ".bin", name);

/** `npm run check`: format and lint, types, the architecture, stale generated files. Says what is wrong with each; ends with 1 if anything is. */
const checks: readonly { readonly name: string; readonly fix: string; run(): boolean }[] = [
  {
    name: "format and lint",
    fix: "npx biome check --write",
    run: () => command(bin("biome"), ["check", "--error-on-warnings", "."]),
  },
  {
    name: "types",
    fix: "see above",
    run: () => command(bin("tsc"), []) && command(bin("tsc"), ["-p", "src/doors/dashboard/client"]),
  },
  {
    name: "architecture",
    fix: "move the code, or discuss a new arrow in docs/architecture.md",
    run: () =>
      command(process.execPath, [
        "--experimental-vm-modules",
        "--disable-warning=ExperimentalWarning",
        join(home, "node_modules/jest/bin/jest.js"),
        "test/architecture.test.ts",
      ]),
  },
  { name: "generated files", fix: "npm run generate", run: upToDate },
];

const failed = checks.filter(({ run }) => !run());
for (const { name, fix } of failed) console.error(`✗ ${name}: ${fix}`);
console.log(failed.length === 0 ? `✓ ${checks.map(({ name }) => name).join(", ")}` : "");
process.exitCode = failed.length === 0 ? 0 : 1;

function command(program: string, words: readonly string[]): boolean {
  return spawnSync(program, words, { cwd: home, stdio: "inherit" }).status === 0;
}

function upToDate(): boolean {
  const stale = staleFiles();
  for (const path of stale) console.error(`${path} is stale`);
  return stale.length === 0;
}
