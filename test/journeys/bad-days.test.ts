import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { calm, handled, held, heldCommand, letGo, statusBecomes, useSharedJourney } from "../support/journey.ts";
import { until } from "../support/until.ts";

const check = `checks: { test: { run: "${held}" } }`;

describe("on GitHub's bad days", () => {
  const journey = useSharedJourney();

  async function propose(shop: Repository) {
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    return sha;
  }

  /** A check that works, of which GitHub has been told. */
  async function underWay() {
    const shop = await journey.repository({ ".github/signalbox.yml": check });
    const sha = await propose(shop);
    await heldCommand(journey.folder);
    await handled(journey);
    return { shop, sha };
  }

  const saidSince = (from: number, message: string) => journey.log.slice(from).filter(({ msg }) => String(msg).includes(message));

  it("an outage is said once, however many reports it holds up, and so is its end", async () => {
    const { shop, sha } = await underWay();
    const from = journey.log.length;
    journey.github.fault({ path: new RegExp(`${shop.fullName}/statuses/`), answer: { status: 502 }, times: 4 });
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox/test", "success");
    await statusBecomes(shop, sha, "signalbox", "success");
    await handled(journey);
    expect(saidSince(from, "GitHub could not be told; trying again")).toHaveLength(1);
    expect(saidSince(from, "GitHub is told again what is true")).toHaveLength(1);
  });

  it("a suspended App says so once, asks nothing more, and tells the truth when it is allowed again, whichever comes first", async () => {
    const { shop, sha } = await underWay();
    const from = journey.log.length;
    journey.github.fault({ webhook: "drop", event: "installation" });
    shop.suspend();
    await letGo(journey.folder);
    await calm(journey);
    expect(saidSince(from, "the App was suspended or removed").length).toBeGreaterThanOrEqual(1);
    const asked = journey.github.requests.length;
    await calm(journey);
    expect(journey.github.requests.slice(asked)).toEqual([]);
    shop.unsuspend();
    await statusBecomes(shop, sha, "signalbox", "success");
    await statusBecomes(shop, sha, "signalbox/test", "success");
  });

  it("a permission that the App lacks is said once, and what it held back is said when it was accepted", async () => {
    const { shop, sha } = await underWay();
    const from = journey.log.length;
    const full = {
      metadata: "read",
      contents: "read",
      pull_requests: "write",
      issues: "write",
      statuses: "write",
      deployments: "write",
      checks: "read",
    } as const;
    const { statuses: _, ...less } = full;
    journey.github.accept(less);
    await handled(journey);
    // The token at hand still has what it was minted with.
    journey.github.fault({ path: new RegExp(`${shop.fullName}/statuses/`), answer: { status: 401 }, times: 2 });
    await letGo(journey.folder);
    await until("it is said", () => saidSince(from, "for want of a permission").length > 0);
    await calm(journey);
    expect(saidSince(from, "for want of a permission")).toHaveLength(1);
    expect(shop.statuses(sha).map(({ state }) => state)).not.toContain("success");
    journey.github.accept(full);
    await statusBecomes(shop, sha, "signalbox", "success");
    await statusBecomes(shop, sha, "signalbox/test", "success");
  });

  it("a repository that was renamed is told by its new name, before and after we hear of it", async () => {
    const { shop, sha } = await underWay();
    journey.github.fault({ webhook: "drop", event: "repository" });
    shop.rename("store");
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox", "success");
    await statusBecomes(shop, sha, "signalbox/test", "success");
    await calm(journey);
    shop.rename("depot");
    await handled(journey);
    const from = journey.github.requests.length;
    const next = await shop.commit({ branch: "autumn", files: { more: "" }, message: "More", author: "mira" });
    await letGo(journey.folder);
    await statusBecomes(shop, next, "signalbox", "success");
    await handled(journey);
    const paths = journey.github.requests.slice(from).map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith("/repos/")).every((path) => path.includes("/depot/"))).toBe(true);
  });

  it("a commit that is gone is given up with one line for each thing that was to be said of it", async () => {
    const { shop } = await underWay();
    const from = journey.log.length;
    journey.github.fault({
      path: new RegExp(`${shop.fullName}/statuses/`),
      answer: { status: 422, body: { message: "No commit found for SHA" } },
      times: 20,
    });
    await letGo(journey.folder);
    await calm(journey);
    await calm(journey);
    const lines = saidSince(from, "GitHub does not take a report");
    expect(new Set(lines.map(({ subject }) => subject)).size).toBe(2);
    expect(lines.length).toBeLessThanOrEqual(4);
  });
});
