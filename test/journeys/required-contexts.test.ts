import { describe, expect, it } from "@jest/globals";
import { signalbox } from "../doors/command-line.ts";
import { handled, statusBecomes, useSharedJourney } from "../support/journey.ts";
import { until } from "../support/until.ts";

describe("a context that a branch requires and nobody produces", () => {
  const journey = useSharedJourney();

  async function propose(requires: { readonly byRuleset?: readonly string[]; readonly byProtection?: readonly string[] }) {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "true" } }` });
    shop.require("main", requires);
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, sha, "signalbox", "success");
    const json = async (path: string) => {
      const answer = await fetch(`${journey.server.url}${path}`, { headers: { accept: "application/json" } });
      const view = (await answer.json()) as { readonly missing: readonly unknown[] };
      return view.missing;
    };
    return { shop, sha, number, json };
  }

  it("is pointed out on the page of the pull request and of its commit, by ruleset and by protection", async () => {
    const { shop, sha, number, json } = await propose({
      byRuleset: ["signalbox", "signalbox/tset"],
      byProtection: ["Signalbox/Test", "codecov/patch"],
    });
    const missing = ["signalbox/tset", "codecov/patch"].map((context) => ({ branch: "main", context }));
    expect(await json(`/${shop.fullName}/pulls/${number}`)).toEqual(missing);
    expect(await json(`/-/config/${shop.fullName}/${sha}`)).toEqual(missing);
    const page = await (await fetch(`${journey.server.url}/${shop.fullName}/pulls/${number}`)).text();
    expect(page).toContain(
      `main requires signalbox/tset, and ${sha.slice(0, 7)} has no check of that name: require signalbox instead, which stands for all of them`,
    );
    expect(page).toContain("main requires codecov/patch, and nobody has ever reported it in this repository");
  });

  it("is no more than what nobody was ever heard of", async () => {
    const { shop, json, number } = await propose({ byRuleset: ["signalbox"] });
    expect(await json(`/${shop.fullName}/pulls/${number}`)).toEqual([]);
  });

  it("is told with why an environment does not have the newest commit", async () => {
    const live = "live: { trigger: manual, target: directory, with: { path: live } }";
    const shop = await journey.repository({ ".github/signalbox.yml": `environments: { ${live} }` });
    shop.require("main", { byRuleset: ["nowhere"] });
    await shop.commit({ branch: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await handled(journey);
    expect(await signalbox(journey, "why", shop.fullName, "live")).toMatchObject({
      code: 0,
      said: expect.stringContaining("What the branch requires:\n  main requires nowhere, and nobody has ever reported it"),
    });
    const { said } = await signalbox(journey, "why", shop.fullName, "live", "--json");
    expect(JSON.parse(said).missing).toEqual([{ branch: "main", context: "nowhere" }]);
  });

  it("is not known when GitHub does not tell all that is required, and that is said", async () => {
    const { shop, sha, number, json } = await propose({ byProtection: ["nowhere"] });
    journey.github.fault({ path: /\/rules\/branches\//, answer: { status: 403 } });
    const page = await (await fetch(`${journey.server.url}/${shop.fullName}/pulls/${number}`)).text();
    expect(page).toContain("main requires nowhere, and nobody has ever reported it in this repository");
    expect(page).toContain("main may require more: GitHub does not tell all of it");
    expect(await json(`/-/config/${shop.fullName}/${sha}`)).toEqual([
      { branch: "main", context: "nowhere" },
      { branch: "main", context: null },
    ]);
  });

  it("costs nothing before the first pending: nobody is asked until somebody looks", async () => {
    const { shop, number, json } = await propose({ byRuleset: ["nowhere"] });
    await handled(journey);
    const asked = () =>
      journey.github.requests.filter(({ path }) => path.includes(`${shop.fullName}/rules/branches/main`)).length;
    expect(asked()).toBe(0);
    await until("it is asked", async () => (await json(`/${shop.fullName}/pulls/${number}`)).length === 1);
    await json(`/${shop.fullName}/pulls/${number}`);
    expect(asked()).toBe(1);
  });
});
