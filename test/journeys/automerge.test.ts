import { describe, expect, it } from "@jest/globals";
import { usualPermissions } from "../../demo/github/create-world.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { calm, held, letGo, statusBecomes, useSharedJourney } from "../support/journey.ts";
import { until } from "../support/until.ts";

describe("a pull request that is to be merged when green", () => {
  const journey = useSharedJourney({
    github: {
      permissions: { ...usualPermissions, contents: "write", checks: "write" },
      events: ["pull_request", "pull_request_review", "push", "status", "check_run", "issue_comment"],
    },
  });

  async function propose({ run = "true", rest = "automerge: { label: ship }" } = {}) {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "${run}" } }\n${rest}\n` });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    return { shop, sha };
  }

  const isMerged = (shop: Repository) => shop.pullRequest(1).merged !== null;
  const becomesMerged = (shop: Repository) => until("it is merged", () => isMerged(shop));
  const said = (shop: Repository) => shop.comments(1).map(({ body }) => body.split("\n")[0]);
  const merges = (shop: Repository) =>
    journey.github.requests.filter(({ method, path }) => method === "PUT" && path.includes(`${shop.fullName}/pulls/1/merge`));

  it("waits for its label and its checks, and is merged with the head that was green", async () => {
    const { shop, sha } = await propose({ run: held });
    shop.label(1, "ship");
    await letGo(journey.folder);
    await becomesMerged(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    expect(merges(shop).map(({ body }) => JSON.parse(body))).toEqual([expect.objectContaining({ sha })]);
    expect(said(shop)).toEqual([]);
  });

  it("is merged by the label alone when everything else is there, and by the last review", async () => {
    const { shop, sha } = await propose();
    shop.needReviews(1);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    expect(merges(shop)).toEqual([]);
    shop.label(1, "ship");
    await until("it is said what is missing", () => said(shop).length === 1);
    expect(said(shop)[0]).toContain("At least 1 approving review is required");
    shop.review(1, { by: "jonas", state: "approved" });
    await becomesMerged(shop);
    expect(said(shop)).toHaveLength(1);
  });

  it.each([
    [409, "Head branch was modified. Review and try the merge again.", []],
    [405, "Repository rule violations found", ["GitHub says: Repository rule violations found"]],
    [422, "Validation Failed", ["GitHub says: Validation Failed"]],
  ])(
    "of which GitHub says %i is looked at again, and what a person must mend is said once",
    async (status, message, expected) => {
      const { shop, sha } = await propose();
      await statusBecomes(shop, sha, "signalbox", "success");
      journey.github.fault({ method: "PUT", path: /\/merge$/, answer: { status, body: { message } } });
      shop.label(1, "ship");
      await until("GitHub was asked", () => merges(shop).length > 0);
      await calm(journey);
      const sentences = expected.map(
        (why) => `Signalbox does not merge this pull request: ${why}. It looks again when that changes.`,
      );
      expect(said(shop)).toEqual(sentences);
      // Whatever may have changed it.
      shop.unlabel(1, "ship");
      shop.label(1, "ship");
      await becomesMerged(shop);
      expect(said(shop)).toEqual(sentences);
    },
  );

  it("is not merged with a head that was pushed after the green one", async () => {
    const { shop, sha } = await propose({ run: "[ ! -e red ]" });
    await statusBecomes(shop, sha, "signalbox", "success");
    const red = await shop.commit({ branch: "autumn", files: { red: "" }, message: "Red", author: "mira" });
    shop.label(1, "ship");
    await statusBecomes(shop, red, "signalbox", "failure");
    await calm(journey);
    expect(isMerged(shop)).toBe(false);
    expect(merges(shop)).toEqual([]);
  });

  it("waits for the App that its branch's rule names, and takes nobody else's word for it", async () => {
    const { shop, sha } = await propose();
    shop.require("main", { byRuleset: [{ context: "ci/other", app: "codecov" }] });
    await statusBecomes(shop, sha, "signalbox", "success");
    shop.label(1, "ship");
    for (const by of ["jonas", "signalbox[bot]", "other[bot]"]) {
      await shop.status({ sha, context: "ci/other", state: "success", by });
      await calm(journey);
      expect(merges(shop)).toEqual([]);
    }
    await shop.status({ sha, context: "ci/other", state: "success", by: "codecov[bot]" });
    await becomesMerged(shop);
  });

  it("is never merged when another App is to say what we say ourselves", async () => {
    const { shop, sha } = await propose();
    shop.require("main", { byProtection: [{ context: "signalbox", app: "codecov" }] });
    await statusBecomes(shop, sha, "signalbox", "success");
    shop.label(1, "ship");
    await calm(journey);
    expect(merges(shop)).toEqual([]);
  });

  it("is never merged without a check", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": "automerge: {}\n" });
    await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    shop.label(1, "ship");
    await until("it is said", () => said(shop).length === 1);
    await calm(journey);
    expect(merges(shop)).toEqual([]);
  });
});
