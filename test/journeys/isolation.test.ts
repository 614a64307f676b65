import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { probeSandbox } from "../../src/process/sandbox.ts";
import { processesNamed } from "../process/processes.ts";
import { held, heldCommand, letGo, statusBecomes } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

const probe = await probeSandbox();
const isolated = probe.works ? describe : describe.skip;
const marker = `signalbox-test-${process.pid}`;

let github: GitHubStandIn;
let folder: string;
let outside: string;
let server: ServerProcess;

/** What a check tries, each a script for `sh` that passes only when it broke out. A search begins at `top`: a whole disk takes minutes. */
function attempts(top: string): Readonly<Record<string, string>> {
  const port = new URL(server.url).port;
  return {
    "read the server's environment": "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -q ^WEBHOOK_SECRET=",
    "see the server's process": `test -e /proc/${server.pid}`,
    // The way to the mirror's objects is there, as empty folders.
    "read the data directory": `ls ${folder} | grep -qv "^mirrors$"`,
    "read the database": `cat ${folder}/*.db ${folder}/*.sqlite* | head -c 1 | grep -q .`,
    "read the secret key": `cat ${folder}/secret* ${folder}/*.key | grep -q .`,
    "see another run's workspace": `ls ${folder}/work | grep -q .`,
    "find the other check's file": `find ${top} -xdev -name secret-of-another 2>/dev/null | grep -q .`,
    "write into the mirror": `touch "$(cat .git/objects/info/alternates)/proof"`,
    "change the mirror's packs": `chmod -R u+w "$(cat .git/objects/info/alternates)"/pack`,
    "change the mirror's settings": `git -C "$(dirname "$(cat .git/objects/info/alternates)")" config core.fsmonitor "touch ${outside}/proof"`,
    "follow a link out of the workspace": `ln -sfn ${folder} out && ls out/ | grep -qv "^mirrors$"`,
    "write through a link": `ln -sfn ${outside} there && touch there/proof`,
    "write into the machine": "touch /usr/proof || touch /etc/proof || touch /proof",
    "become more than it is": "grep -v '0000000000000000$' /proc/self/status | grep -q ^CapEff",
    "mount something": "mount -t tmpfs none /mnt || unshare -m true 2>/dev/null && mount --bind / /mnt",
    "read the kernel's settings for others": "echo 1 > /proc/sys/kernel/sysrq",
    ...(probe.works && probe.sandbox.network
      ? { "reach the server's pages": `timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}'` }
      : {}),
  };
}

/** A check that makes all of them and says which of them broke out. */
function script(tried: Readonly<Record<string, string>>): string {
  const lines = Object.entries(tried).map(
    ([name, attempt]) => `( ${attempt} ) >/dev/null 2>&1 && echo "BROKE OUT: ${name}" && bad=1`,
  );
  return ["set +e", "bad=0", ...lines, 'echo "tried everything"', "exit $bad"].join("\n");
}

const indent = (text: string) => text.replaceAll(/^/gm, "      ");

async function propose(
  run: string,
  name: string,
  from?: string,
): Promise<{ repository: Repository; sha: string; number: number }> {
  const files = { ".github/signalbox.yml": `checks:\n  test:\n    run: |\n${indent(run)}\n` };
  const repository = await github.repository({ owner: "acme", name, files, permissions: { mira: "write" } });
  const source = from === undefined ? repository : await repository.fork(from);
  const author = from ?? "mira";
  const sha = await source.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author });
  const fork = from === undefined ? {} : { fork: from };
  const number = await repository.openPullRequest({ title: "Autumn", head: "autumn", author, ...fork });
  return { repository, sha, number };
}

/** How the check ended, with its log. */
async function ending({ repository, sha }: { repository: Repository; sha: string }) {
  const status = await until("the check has ended", () =>
    repository.statuses(sha).find(({ context, state }) => context === "signalbox/test" && state !== "pending"),
  );
  const page = `${server.url}${new URL(status.targetUrl ?? "").pathname}`;
  return { state: status.state, log: await (await fetch(`${page}/log.txt`)).text() };
}

async function open(sandbox: string): Promise<void> {
  github = await startGitHub();
  folder = await mkdtemp(join(tmpdir(), "signalbox-isolation-"));
  outside = await mkdtemp(join(tmpdir(), "signalbox-outside-"));
  await writeFile(join(outside, "treasure"), "treasure");
  server = await startProcess(github, folder, { SANDBOX: sandbox, CONCURRENCY: "3" });
}

async function close(): Promise<void> {
  await server.end("SIGKILL");
  await github.close();
  for (const path of [folder, outside]) await rm(path, { recursive: true, force: true });
}

isolated("a check that tries to break out", () => {
  beforeAll(() => open("bubblewrap"));
  afterAll(close);

  it("fails at all of it, while another one works", async () => {
    const other = await propose(`touch secret-of-another; ${held}`, "other");
    await heldCommand(folder);
    const { state, log } = await ending(await propose(script(attempts("/")), "shop"));
    await letGo(folder);

    expect(log).toContain("tried everything");
    expect(log).not.toContain("BROKE OUT");
    expect(state).toBe("success");
    expect(await readdir(outside)).toEqual(["treasure"]);
    expect((await ending(other)).state).toBe("success");
  });

  it("cannot make the server run its hooks and settings, nor remove what its links point to", async () => {
    const evil = `#!/bin/sh\ntouch ${outside}/proof\n`;
    const tricks = `
mkdir -p .git/hooks && for hook in post-checkout post-index-change pre-auto-gc reference-transaction; do
  printf '%s' '${evil.replaceAll("\n", "\\n")}' | sed 's/\\\\n/\\n/g' > .git/hooks/$hook; chmod +x .git/hooks/$hook; done
for key in core.fsmonitor core.sshCommand core.pager core.editor uploadpack.packObjectsHook filter.lfs.smudge credential.helper; do
  git config $key 'touch ${outside}/proof'; done
printf '* filter=lfs\\n' > .gitattributes
ln -s ${outside} treasures; mkdir shut && touch shut/file && chmod 000 shut
exit 0`;
    const { repository, sha } = await propose(tricks, "tricks");
    await statusBecomes(repository, sha, "signalbox/test", "success");
    const next = await repository.commit({ branch: "autumn", files: { b: "" }, message: "More", author: "mira" });
    await statusBecomes(repository, next, "signalbox/test", "success");

    expect(existsSync(join(outside, "proof"))).toBe(false);
    expect(await readFile(join(outside, "treasure"), "utf8")).toBe("treasure");
    expect(await readdir(join(folder, "work")).catch(() => [])).toEqual([]);
  });

  it("leaves no daemon behind", async () => {
    const daemons = `setsid sh -c 'while :; do sleep 0.1; done' ${marker} & (setsid sh -c 'trap "" TERM HUP; while :; do sleep 0.1; done' ${marker} &) ; echo begun`;
    expect((await ending(await propose(daemons, "daemons"))).log).toContain("begun");
    expect(await processesNamed(marker)).toEqual([]);
  });

  it("of a fork has no network at all, and no folder of another's cache", async () => {
    const run = `cat /proc/net/dev; ! ls ~/.npm\ntest "$(grep -c : /proc/net/dev)" = 1`;
    const proposal = await propose(run, "forked", "octocat");
    const waiting = await statusBecomes(proposal.repository, proposal.sha, "signalbox/test", "pending");
    expect(waiting.description).toContain("/approve");
    await proposal.repository.comment({ by: "mira", number: proposal.number, body: `/approve ${proposal.sha}` });
    const { state, log } = await ending(proposal);
    expect({ state, log }).toMatchObject({ state: "success", log: expect.stringContaining("lo:") });
  });
});

describe("the same attempts without a sandbox", () => {
  beforeAll(() => open("none"));
  afterAll(close);

  it("do break out: they are real ones", async () => {
    const { repository, sha } = await propose("true", "first");
    await statusBecomes(repository, sha, "signalbox", "success");
    await mkdir(join(folder, "work"), { recursive: true });
    const { state, log } = await ending(await propose(script(attempts(folder)), "shop"));
    expect(state).toBe("failure");
    for (const name of [
      "read the server's environment",
      "see the server's process",
      "read the data directory",
      "see another run's workspace",
      "write into the mirror",
      "change the mirror's settings",
      "follow a link out of the workspace",
      "write through a link",
    ])
      expect(log).toContain(`BROKE OUT: ${name}`);
  });
});
