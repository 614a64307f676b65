import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import { processesNamed } from "../process/processes.ts";
import { held, heldCommand, letGo, sandbox, statusBecomes } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

/** Shows in the command line of everything that the checks start, and of nothing else on this machine. */
const marker = `signalbox-test-${process.pid}`;
const names = ["one", "two", "three", "four"];

let github: GitHubStandIn;
let folder: string;
let server: ServerProcess | null = null;
beforeEach(async () => {
  github = await startGitHub();
  folder = await mkdtemp(join(tmpdir(), "signalbox-kill-"));
});
afterEach(async () => {
  await server?.end("SIGKILL");
  for (const pid of await processesNamed(marker)) process.kill(pid, "SIGKILL");
  await github.close();
  await rm(folder, { recursive: true, force: true });
});

const kinds = (await sandbox) === "bubblewrap" ? ["bubblewrap", "none"] : ["none"];

describe("a server that is killed while four checks run", () => {
  it.each(kinds)(
    "leaves no process of theirs when the next one is ready; each runs again and shows two attempts (SANDBOX=%s)",
    async (kind) => {
      const start = () => startProcess(github, folder, { SANDBOX: kind, CONCURRENCY: "4" });
      server = await start();
      // A daemon in a session of its own, one that nobody is the parent of, and one in the group.
      const daemons = `setsid sh -c 'while :; do sleep 0.1; done' ${marker} & setsid sh -c '(while :; do sleep 0.1; done) & exit' ${marker} & sh -c 'while :; do sleep 0.1; done' ${marker} &`;
      const file = names.map((name) => `  ${name}: { run: "${daemons} ${held}" }`).join("\n");
      const shop = await github.repository({
        owner: "acme",
        name: "shop",
        files: { ".github/signalbox.yml": `checks:\n${file}\n` },
        permissions: { mira: "write" },
      });
      const head = await shop.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
      await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
      const working = async () => (await heldCommand(folder)).length === names.length;
      await until("all four work", working);
      const before = new Set(await processesNamed(marker));
      expect(before.size).toBeGreaterThanOrEqual(3 * names.length);

      await server.end("SIGKILL");
      server = await start();
      expect((await processesNamed(marker)).filter((pid) => before.has(pid))).toEqual([]);

      await until("all four work again", working);
      await letGo(folder);
      await statusBecomes(shop, head, "signalbox", "success");
      for (const name of names) {
        const { targetUrl } = await statusBecomes(shop, head, `signalbox/${name}`, "success");
        const page = await (await fetch(`${server.url}${new URL(targetUrl ?? "").pathname}`)).text();
        const attempts = [...page.matchAll(/\?attempt=(\d+)"[^>]*>.*?Attempt \1</gs)].map(([, number]) => number);
        expect(attempts).toEqual(["2", "1"]);
      }
      await until("no process is left", async () => (await processesNamed(marker)).length === 0);
    },
  );
});
