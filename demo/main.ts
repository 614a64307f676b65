import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGitHub } from "./github/github.ts";
import { startSignalbox } from "./signalbox.ts";
import { serveSites } from "./sites.ts";
import { createShop, openRedPullRequest, play } from "./story.ts";

/** `npm run demo`: everything on one machine. With `--once` it plays the whole story and ends with 0 only if all of it happened. */
async function main(): Promise<void> {
  const once = process.argv.includes("--once");
  const began = performance.now();
  const say = (line: string) => console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  const folder = await mkdtemp(join(tmpdir(), "signalbox-demo-"));
  const github = await startGitHub();
  const sites = await serveSites(join(folder, "data", "sites", "acme", "shop"));
  const signalbox = await startSignalbox({ github, dataDir: join(folder, "data"), log: "inherit" });
  say(`a stand-in for GitHub is at ${github.url}, Signalbox at ${signalbox.url}`);
  const end = async () => {
    await signalbox.stop();
    sites.close();
    await github.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const shop = await createShop(github, sites.url);
    if (once) {
      await play(shop, sites.url, say);
      say("All of it happened.");
      return;
    }
    const { number } = await openRedPullRequest(shop);
    console.log(
      invitation({
        pullRequest: `${github.url}/acme/shop/pull/${number}`,
        dashboard: `${signalbox.url}/acme/shop`,
        sites: sites.url,
        clone: cloneUrl(shop.cloneUrl, github.person("mira")),
      }),
    );
    await new Promise<void>((resolve) => {
      process.once("SIGINT", () => resolve());
      process.once("SIGTERM", () => resolve());
    });
  } finally {
    await end();
  }
}

function cloneUrl(url: string, { login, token }: { readonly login: string; readonly token: string }): string {
  return url.replace("://", `://${login}:${token}@`);
}

function invitation(places: { pullRequest: string; dashboard: string; sites: string; clone: string }): string {
  return `
  A pull request with a failing test is open. Try it:

    1. Open it and watch its statuses     ${places.pullRequest}
    2. Push a fix, as mira                git clone -b autumn ${places.clone}
                                          (give the lantern in src/content.js a price)
    3. Press "Merge" on its page, and watch it go live
         staging                          ${places.sites}/staging/
         production                       ${places.sites}/production/
       Signalbox's own pages              ${places.dashboard}

  Ctrl+C ends it and removes everything.
`;
}

try {
  await main();
} catch (error) {
  console.error(`The demo failed: ${Error.isError(error) ? error.message : String(error)}`);
  process.exitCode = 1;
}
