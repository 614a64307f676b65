import type { GitHubStandIn } from "./github/github.ts";
import type { Repository } from "./github/repository.ts";
import { newText, shopFiles, withoutPrice, withPrice } from "./shop.ts";

/** Makes the sample repository, in which mira writes and jonas merges. */
export async function createShop(github: GitHubStandIn, sites: string): Promise<Repository> {
  return github.repository({
    owner: "acme",
    name: "shop",
    files: shopFiles(sites),
    permissions: { mira: "write", jonas: "maintain" },
  });
}

/** Opens the pull request whose test fails. */
export async function openRedPullRequest(shop: Repository): Promise<{ readonly number: number; readonly sha: string }> {
  const sha = await shop.commit({
    branch: "autumn",
    from: "main",
    files: withoutPrice,
    message: "Sell lanterns",
    author: "mira",
  });
  const number = await shop.openPullRequest({ title: "Sell lanterns", head: "autumn", author: "mira" });
  return { number, sha };
}

/** Plays it all through, and says each thing when it has been seen. Rejects at the first that does not happen. */
export async function play(shop: Repository, sites: string, say: (line: string) => void): Promise<void> {
  const { number, sha: broken } = await openRedPullRequest(shop);
  say(`mira opened pull request #${number} "Sell lanterns", but forgot a price`);
  say(`signalbox: ${await status(shop, broken, "pending")}`);
  say(`signalbox/test: ${await status(shop, broken, "failure", "signalbox/test")}`);

  const fixed = await shop.commit({ branch: "autumn", files: withPrice, message: "Name the price", author: "mira" });
  say(`mira pushed a fix, ${fixed.slice(0, 7)}`);
  say(`signalbox/test: ${await status(shop, fixed, "success", "signalbox/test")}`);
  say(`signalbox: ${await status(shop, fixed, "success")}`);

  const merged = await shop.merge(number, { by: "jonas" });
  say(`jonas merged it as ${merged.slice(0, 7)}`);
  for (const environment of ["staging", "production"]) {
    const url = await live(shop, merged, environment);
    const page = await (await fetch(url)).text();
    if (!page.includes(newText)) throw new Error(`${url} does not say "${newText}"`);
    say(`${environment} is live: ${url} says "${newText}"`);
  }
  if ((await (await fetch(`${sites}/production/`)).text()) !== (await (await fetch(`${sites}/staging/`)).text()))
    throw new Error("staging and production differ");
}

async function status(shop: Repository, sha: string, state: string, context = "signalbox"): Promise<string> {
  const found = await eventually(`${context} ${state}`, () =>
    shop.allStatuses(sha).find((one) => one.context === context && one.state === state),
  );
  return `${state}, "${found.description}"`;
}

async function live(shop: Repository, sha: string, environment: string): Promise<string> {
  const success = await eventually(`${environment} to go live`, () => {
    const deployment = shop.deployments().find((one) => one.environment === environment && one.sha === sha);
    const failed = deployment?.statuses.find(({ state }) => state === "failure" || state === "error");
    if (failed !== undefined) throw new Error(`${environment}: ${failed.description}`);
    return deployment?.statuses.find(({ state }) => state === "success");
  });
  return success.environmentUrl ?? "";
}

async function eventually<T>(what: string, look: () => T | undefined): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited a minute for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
