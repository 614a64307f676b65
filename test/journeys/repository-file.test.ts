import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { calm, deploymentBecomes, statusBecomes, useSharedJourney } from "../support/journey.ts";

const path = ".github/signalbox.yml";
const oneCheck = { [path]: `checks: { test: { run: "true" } }\n` };

describe("a repository's file", () => {
  const journey = useSharedJourney();

  async function propose(repository: Repository, files: Readonly<Record<string, string | null>>, fork?: string) {
    const source = fork === undefined ? repository : await repository.fork(fork);
    const sha = await source.commit({ branch: "autumn", from: "main", files, message: "Autumn", author: fork ?? "mira" });
    const where = fork === undefined ? {} : { fork };
    const number = await repository.openPullRequest({ title: "Autumn", head: "autumn", author: fork ?? "mira", ...where });
    return { sha, number };
  }

  /** What was asked of GitHub about a repository since then, without the file itself and the tokens. */
  function askedSince(count: number): readonly string[] {
    return journey.github.requests
      .slice(count)
      .map(({ method, path }) => `${method} ${path}`)
      .filter((request) => !request.includes("/contents/") && !request.includes("/access_tokens"));
  }

  it("that does not exist keeps Signalbox silent: nothing but the file is asked of GitHub, also when it is merged", async () => {
    const shop = await journey.repository({ "README.md": "" });
    const before = journey.github.requests.length;
    const { sha, number } = await propose(shop, { autumn: "" });
    await shop.merge(number);
    await calm(journey);
    expect(askedSince(before)).toEqual([]);
    expect(shop.statuses(sha)).toEqual([]);
    expect(shop.deployments()).toEqual([]);
  });

  it("without checks shows no status", async () => {
    const shop = await journey.repository({
      [path]: "environments: { staging: { trigger: merge, target: directory, with: { path: staging } } }",
    });
    const { sha } = await propose(shop, { autumn: "" });
    await calm(journey);
    expect(shop.statuses(sha)).toEqual([]);
  });

  it("with a mistake is shown as an error that says path, problem and what is allowed, and as success once it is mended", async () => {
    const shop = await journey.repository(oneCheck);
    const { sha: wrong } = await propose(shop, { [path]: `checks: { test: { run: "true", timeuot: 3m } }\n` });
    const status = await statusBecomes(shop, wrong, "signalbox/config", "error");
    expect(status.description).toMatch(/^checks\.test\.timeuot: .*did you mean "timeout"/);
    expect(status.targetUrl).toBe(`http://127.0.0.1:3000/-/config/${shop.fullName}/${wrong}`);
    await statusBecomes(shop, wrong, "signalbox", "error");
    expect(shop.statuses(wrong)).toHaveLength(2);

    const mended = await shop.commit({ branch: "autumn", files: oneCheck, message: "Mend it", author: "mira" });
    await statusBecomes(shop, mended, "signalbox", "success");
    expect(shop.statuses(mended).map(({ context }) => context)).not.toContain("signalbox/config");
  });

  it("with a mistake on the default branch is shown on the commit that should have been deployed", async () => {
    const shop = await journey.repository({ [path]: "environments: { staging: { trigger: merge, target: directroy } }" });
    const { number } = await propose(shop, { "page.html": "new" });
    const merged = await shop.merge(number);
    const status = await statusBecomes(shop, merged, "signalbox/config", "error");
    expect(status.description).toContain('did you mean "directory"?');
    expect(shop.deployments()).toEqual([]);
  });

  it("of a base without one keeps Signalbox silent about a fork, also when the fork adds one", async () => {
    const shop = await journey.repository({ "README.md": "" });
    const { sha } = await propose(shop, oneCheck, "olga");
    await calm(journey);
    expect(shop.statuses(sha)).toEqual([]);
  });

  it("lets nothing of a fork run by itself, also when the fork changes it: its pull request shows pending", async () => {
    const shop = await journey.repository(oneCheck);
    const { sha, number } = await propose(shop, { [path]: `checks: { evil: { run: "true" } }\n` }, "olga");
    await statusBecomes(shop, sha, "signalbox", "pending");
    await calm(journey);
    expect(shop.statuses(sha).map(({ context }) => context)).not.toContain("signalbox/evil");
    const attempts = await journey.server.database.read((db) =>
      db.selectFrom("run").select("attempt").where("repository", "=", shop.id).where("attempt", ">", 0).execute(),
    );
    expect(attempts).toEqual([]);
    await shop.closePullRequest(number);
    await calm(journey);
  });

  it("is obeyed for our own pull request, whoever opens another one for the same commit from a fork", async () => {
    const shop = await journey.repository(oneCheck);
    const { sha } = await propose(shop, { autumn: "" });
    await statusBecomes(shop, sha, "signalbox", "success");
    await shop.fork("olga");
    await shop.openPullRequest({ title: "Mine", head: "autumn", author: "olga", fork: "olga" });
    await calm(journey);
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  it("deploys the base repository when a fork is merged, after the checks of the merge commit", async () => {
    const shop = await journey.repository({
      [path]: `
checks: { test: { run: "true" } }
environments: { staging: { trigger: merge, target: directory, with: { path: staging } } }
`,
    });
    const { sha, number } = await propose(shop, { autumn: "" }, "olga");
    await statusBecomes(shop, sha, "signalbox", "pending");
    const merged = await shop.merge(number, { by: "jonas", method: "squash" });
    await deploymentBecomes(shop, "staging", "success", merged);
    await statusBecomes(shop, merged, "signalbox/test", "success");
  });
});
