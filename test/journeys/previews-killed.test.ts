import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { deploymentBecomes, held, heldCommand, sandbox } from "../support/journey.ts";
import { promised, until } from "../support/until.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

let github: GitHubStandIn;
let folder: string;
let server: ServerProcess | null = null;

beforeEach(async () => {
  github = await startGitHub({
    permissions: {
      metadata: "read",
      contents: "read",
      pull_requests: "write",
      issues: "write",
      statuses: "write",
      deployments: "write",
      checks: "read",
      administration: "write",
    },
  });
  folder = await mkdtemp(join(tmpdir(), "signalbox-previews-"));
});
afterEach(async () => {
  await server?.end("SIGKILL");
  await github.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  server = await startProcess(github, folder, { SANDBOX: await sandbox });
}

/** A pull request of a repository whose previews are deployed and taken away by these commands. */
async function propose(run: string, remove: string): Promise<Repository> {
  const shop = await github.repository({
    owner: "acme",
    name: "shop",
    files: {
      ".github/signalbox.yml": `environments:
  preview:
    trigger: pull_request
    require_checks: none
    target: command
    with: { run: '${run}', remove: { run: '${remove}' } }
`,
    },
    permissions: { mira: "write" },
  });
  await shop.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
  await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
  return shop;
}

const preview = "preview-pr-1";
const place = "$SIGNALBOX_SITES/$SIGNALBOX_ENVIRONMENT";
const sites = () => join(folder, "sites", "acme", "shop");

/** Nothing is left on disk, at GitHub it is inactive, and its environment is gone. */
async function isGone(shop: Repository): Promise<void> {
  await until(
    "the comment says that it is taken down",
    () => shop.comments(1).some(({ body }) => /Taken down: /.test(body)),
    promised,
  );
  await until("GitHub knows no environment", () => shop.environments().length === 0, promised);
  expect(existsSync(join(sites(), preview))).toBe(false);
  for (const { statuses } of shop.deployments()) expect(statuses.at(-1)?.state).toBe("inactive");
  expect(shop.comments(1)).toHaveLength(1);
}

describe("a server that is killed", () => {
  it("in the middle of a preview's deployment says that it is lost, repeats nothing, and takes away what it left when it is closed", async () => {
    await start();
    const shop = await propose(`mkdir ${place}; echo once >> $SIGNALBOX_SITES/times; ${held}`, `rm -r ${place}`);
    await deploymentBecomes(shop, preview, "in_progress");
    await heldCommand(folder);
    await server?.end("SIGKILL");

    await start();
    await deploymentBecomes(shop, preview, "error");
    await until("the comment says it", () =>
      shop.comments(1).find(({ body }) => /The server died during this deployment/.test(body)),
    );
    expect(await readdir(sites())).toContain(preview);
    await shop.closePullRequest(1);
    await isGone(shop);
    expect(shop.deployments()).toHaveLength(1);
  });

  it("in the middle of a tear-down tears it down after the next start", async () => {
    await start();
    const remove = `rm -r ${place}; mkdir ${place}; touch $SIGNALBOX_SITES/removing; until [ -e $SIGNALBOX_SITES/go ]; do sleep 0.02; done; rm -rf ${place}`;
    const shop = await propose(`mkdir ${place}`, remove);
    await deploymentBecomes(shop, preview, "success");
    await shop.closePullRequest(1);
    const removing = join(sites(), "removing");
    await until("it is being removed", () => existsSync(removing));
    await server?.end("SIGKILL");
    await rm(removing);

    await start();
    await until("it is being removed again", () => existsSync(removing));
    await writeFile(join(sites(), "go"), "");
    await isGone(shop);
  });

  it("finds out that a pull request was closed while it was down, and takes its preview away", async () => {
    await start();
    const shop = await propose(`mkdir ${place}`, `rmdir ${place}`);
    await deploymentBecomes(shop, preview, "success");
    await server?.end("SIGKILL");
    await shop.closePullRequest(1);
    await github.idle();

    await start();
    await isGone(shop);
  });

  it("takes the preview of a pull request away that GitHub does not know any more", async () => {
    await start();
    const shop = await propose(`mkdir ${place}`, `rmdir ${place}`);
    await deploymentBecomes(shop, preview, "success");
    await server?.end("SIGKILL");
    await shop.closePullRequest(1);
    await github.idle();
    github.fault({ path: /\/pulls\/1$/, answer: { status: 404 }, times: 1 });

    await start();
    await isGone(shop);
  });
});
