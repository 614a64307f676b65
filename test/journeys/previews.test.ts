import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { wantReconsidering } from "../../src/runs/reconsidering.ts";
import { calm, deploymentBecomes, held, heldCommand, statusBecomes, useSharedJourney } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { says } from "./deployment-house.ts";

const path = ".github/signalbox.yml";
const permissions = {
  metadata: "read",
  contents: "read",
  pull_requests: "write",
  issues: "write",
  statuses: "write",
  deployments: "write",
  checks: "read",
  administration: "write",
} as const;

/** A file with previews in a folder of their own each. */
function file(keys = "", more = ""): Record<string, string> {
  return {
    [path]: `environments:
  preview:
    trigger: pull_request
    require_checks: none
    target: directory
    with: { path: "pr-{{ pull_request.number }}" }
    url: https://pr-{{ pull_request.number }}.preview.example.com
    ${keys}
${more}`,
  };
}

describe("a preview", () => {
  const journey = useSharedJourney({ github: { permissions } });

  async function propose(shop: Repository, branch: string, files: Record<string, string> = {}, draft = false) {
    await shop.commit({
      branch,
      from: "main",
      files: { "index.html": branch, ...files },
      message: branch,
      author: "mira",
    });
    return shop.openPullRequest({ title: `The ${branch}`, head: branch, author: "mira", draft });
  }

  const site = (shop: Repository, number: number) => join(journey.folder, "sites", shop.fullName, `pr-${number}`);
  const content = (shop: Repository, number: number) => readFile(join(site(shop, number), "current", "index.html"), "utf8");
  const sites = async (shop: Repository) =>
    (await readdir(join(journey.folder, "sites", shop.fullName)).catch(() => [])).filter((name) => !name.startsWith("."));
  const comments = (shop: Repository, number: number) => shop.comments(number).map(({ body }) => body);
  const commentSays = (shop: Repository, number: number, words: RegExp) =>
    until(`the comment says ${words}`, () => comments(shop, number).find((body) => words.test(body)));

  async function gone(shop: Repository, number: number, why: RegExp) {
    await commentSays(shop, number, why);
    await until("the site is gone", () => !existsSync(site(shop, number)));
    await until("GitHub knows no environment", () => !shop.environments().includes(`preview-pr-${number}`));
    const shown = shop.deployments().filter(({ environment }) => environment === `preview-pr-${number}`);
    for (const { statuses } of shown) expect(statuses.at(-1)?.state).toBe("inactive");
    expect(shown.at(-1)?.statuses.at(-1)?.description).toMatch(why);
  }

  it("lives as long as its pull request: deployed, updated with each push, told in one comment, and gone when it is closed", async () => {
    const shop = await journey.repository(file());
    const number = await propose(shop, "autumn");
    const first = await deploymentBecomes(shop, `preview-pr-${number}`, "success");
    expect(await content(shop, number)).toBe("autumn");
    expect(first).toMatchObject({ transient: true, production: false, sha: await shop.head("autumn") });
    expect(first.statuses.at(-1)?.environmentUrl).toBe(`https://pr-${number}.preview.example.com`);
    await commentSays(shop, number, /<https:\/\/pr-1\.preview\.example\.com\/>, showing/);

    const sha = await shop.commit({ branch: "autumn", files: { "index.html": "winter" }, message: "Winter", author: "mira" });
    await deploymentBecomes(shop, `preview-pr-${number}`, "success", sha);
    await until("the first is inactive", () => first.statuses.at(-1)?.state === "inactive");
    expect(await content(shop, number)).toBe("winter");
    await commentSays(shop, number, new RegExp(`showing ${sha.slice(0, 7)}`));

    await shop.closePullRequest(number, "mira");
    await gone(shop, number, /Taken down: pull request #1 was closed/);
    await calm(journey);
    expect(comments(shop, number)).toHaveLength(1);
    expect(comments(shop, number)[0]).not.toContain("showing");
    expect(await sites(shop)).toEqual([]);
    expect(
      journey.github.requests.filter(({ method, path: at }) => method === "DELETE" && at.includes(shop.fullName)),
    ).toHaveLength(1);
  });

  it("goes when its pull request is merged, and comes back when one is opened again", async () => {
    const shop = await journey.repository(file());
    const merged = await propose(shop, "autumn");
    const closed = await propose(shop, "winter");
    await deploymentBecomes(shop, `preview-pr-${merged}`, "success");
    const before = await deploymentBecomes(shop, `preview-pr-${closed}`, "success");
    await shop.merge(merged);
    await gone(shop, merged, /Taken down: pull request #1 was merged/);
    await shop.closePullRequest(closed);
    await gone(shop, closed, /Taken down: pull request #2 was closed/);

    await shop.reopenPullRequest(closed);
    const again = await deploymentBecomes(shop, `preview-pr-${closed}`, "success");
    expect(again.id).not.toBe(before.id);
    expect(await content(shop, closed)).toBe("winter");
    expect(comments(shop, closed)).toHaveLength(1);
  });

  it("is never made of a fork", async () => {
    const shop = await journey.repository(file());
    const fork = await shop.fork("octocat");
    await fork.commit({
      branch: "visitor",
      from: "main",
      files: { "index.html": "hostile" },
      message: "Visit",
      author: "octocat",
    });
    await shop.openPullRequest({ title: "Visit", head: "visitor", author: "octocat", fork: "octocat" });
    const own = await propose(shop, "autumn");
    await deploymentBecomes(shop, `preview-pr-${own}`, "success");
    await calm(journey);
    expect(shop.deployments().map(({ environment }) => environment)).toEqual([`preview-pr-${own}`]);
    expect(await sites(shop)).toEqual([`pr-${own}`]);
  });

  it("goes for a draft, for another base, and when the default branch's file has none any more", async () => {
    const shop = await journey.repository(file("branch: main"));
    await shop.commit({ branch: "next", from: "main", files: { next: "1" }, message: "Next", author: "mira" });
    const draft = await propose(shop, "autumn", {}, true);
    const moved = await propose(shop, "winter");
    const left = await propose(shop, "spring");
    await deploymentBecomes(shop, `preview-pr-${moved}`, "success");
    await deploymentBecomes(shop, `preview-pr-${left}`, "success");
    expect(await sites(shop)).toEqual([`pr-${moved}`, `pr-${left}`]);
    await shop.readyForReview(draft);
    await deploymentBecomes(shop, `preview-pr-${draft}`, "success");

    await shop.convertToDraft(draft);
    await gone(shop, draft, /Taken down: pull request #1 is a draft/);
    await shop.changeBase(moved, "next");
    await gone(shop, moved, /Taken down: pull request #2 goes into next, not into main/);
    await shop.commit({ branch: "main", files: { [path]: "checks: { a: { run: a } }" }, message: "No previews", author: "mira" });
    await gone(shop, left, /Taken down: the default branch's file has no previews named preview any more/);
    await until("nothing is left", async () => (await sites(shop)).length === 0);
  });

  it("that failed says so in its comment and its status, and is not tried again by itself", async () => {
    const shop = await journey.repository(file());
    const number = await propose(shop, "autumn", {
      [path]: file('build: "echo broken; exit 3"')[path] ?? "",
    });
    await deploymentBecomes(shop, `preview-pr-${number}`, "failure");
    await commentSays(shop, number, /`Failed: the build exited with 3 after .*` \[Log\]\(/);
    await calm(journey);
    expect(shop.deployments()).toHaveLength(1);
    await shop.closePullRequest(number);
    await gone(shop, number, /Taken down/);
  });

  it("waits for the checks of its commit, as the default branch's file says", async () => {
    const checks = "checks: { test: { run: '! test -e broken' } }";
    const shop = await journey.repository({
      [path]: `${file()[path]?.replace("require_checks: none", "require_checks: [test]")}\n${checks}`,
    });
    const broken = await propose(shop, "autumn", { broken: "", [path]: `${file()[path]}\n${checks}` });
    await statusBecomes(shop, await shop.head("autumn"), "signalbox/test", "failure");
    await says(shop, `preview-pr-${broken}`, /^Waiting for checks: test failed/);
    const sha = await shop.commit({ branch: "autumn", files: { broken: null }, message: "Mend", author: "mira" });
    await deploymentBecomes(shop, `preview-pr-${broken}`, "success", sha);
  });

  it("leaves when it has grown old, and comes back with a push", async () => {
    const shop = await journey.repository(file("ttl: 1h"));
    const number = await propose(shop, "autumn");
    await deploymentBecomes(shop, `preview-pr-${number}`, "success");
    await journey.server.database.write(async (tx) => {
      const old = { active_at: tx.now - 2 * 3_600_000 };
      await tx.db.updateTable("pull_request_head").set(old).where("repository", "=", shop.id).execute();
      await wantReconsidering(tx, shop.id);
    });
    await gone(shop, number, /Taken down: nothing was pushed for 1h/);
    const sha = await shop.commit({ branch: "autumn", files: { "index.html": "2" }, message: "More", author: "mira" });
    await deploymentBecomes(shop, `preview-pr-${number}`, "success", sha);
    expect(await content(shop, number)).toBe("2");
    expect(comments(shop, number)).toHaveLength(1);
  });

  it("leaves for one that was pushed to since, when there is room for so many", async () => {
    const shop = await journey.repository(file("quota: 2"));
    const one = await propose(shop, "one");
    await deploymentBecomes(shop, `preview-pr-${one}`, "success");
    const two = await propose(shop, "two");
    await deploymentBecomes(shop, `preview-pr-${two}`, "success");
    const three = await propose(shop, "three");
    await deploymentBecomes(shop, `preview-pr-${three}`, "success");
    await gone(shop, one, /Taken down: there is room for 2 previews, and others were pushed to since/);
    expect((await sites(shop)).toSorted()).toEqual([`pr-${two}`, `pr-${three}`]);

    await shop.closePullRequest(two);
    await gone(shop, two, /was closed/);
    await deploymentBecomes(shop, `preview-pr-${one}`, "success");
    expect((await sites(shop)).toSorted()).toEqual([`pr-${one}`, `pr-${three}`]);
  });

  it("that is being deployed is stopped when its pull request is closed, and what it left is taken away by its own command", async () => {
    const run = `mkdir -p $SIGNALBOX_SITES/$SIGNALBOX_ENVIRONMENT; ${held}`;
    const shop = await journey.repository({
      [path]: `environments:
  app:
    trigger: pull_request
    require_checks: none
    target: command
    with: { run: '${run}', remove: { run: 'rmdir $SIGNALBOX_SITES/$SIGNALBOX_ENVIRONMENT; echo gone > $SIGNALBOX_SITES/said' } }`,
    });
    const number = await propose(shop, "autumn");
    await heldCommand(journey.folder);
    expect(await sites(shop)).toEqual([`app-pr-${number}`]);
    await shop.closePullRequest(number);
    await until("it is taken away", async () => (await sites(shop)).join() === "said");
    await until("GitHub knows no environment", () => shop.environments().length === 0);
    expect(shop.deployments().at(-1)?.statuses.at(-1)?.state).toBe("inactive");
  });

  it("is taken away from every folder that it was deployed to", async () => {
    const shop = await journey.repository(file());
    const number = await propose(shop, "autumn");
    await deploymentBecomes(shop, `preview-pr-${number}`, "success");
    const elsewhere = file()[path]?.replace('"pr-{{', '"elsewhere-{{') ?? "";
    const sha = await shop.commit({ branch: "autumn", files: { [path]: elsewhere }, message: "Elsewhere", author: "mira" });
    await deploymentBecomes(shop, `preview-pr-${number}`, "success", sha);
    expect((await sites(shop)).toSorted()).toEqual([`elsewhere-${number}`, `pr-${number}`]);
    await shop.closePullRequest(number);
    await gone(shop, number, /Taken down/);
    await until("all is gone", async () => (await sites(shop)).length === 0);
  });

  it("is not deployed by hand, and its lock holds all of them", async () => {
    const shop = await journey.repository(file());
    const number = await propose(shop, "autumn");
    await deploymentBecomes(shop, `preview-pr-${number}`, "success");
    await shop.comment({ by: "mira", number, body: "/deploy preview\n/lock preview Too many" });
    await until("it is answered", () =>
      comments(shop, number).find((body) => /preview is for previews: push to a pull request/.test(body)),
    );
    await shop.commit({ branch: "autumn", files: { "index.html": "2" }, message: "More", author: "mira" });
    await says(shop, `preview-pr-${number}`, /^Waiting for the lock of mira/);
    await letGoOfNothing(shop, number);
  });

  /** A lock holds back no teardown. */
  async function letGoOfNothing(shop: Repository, number: number) {
    await shop.closePullRequest(number);
    await gone(shop, number, /Taken down/);
  }
});

describe("without administration: write", () => {
  const journey = useSharedJourney();

  it("the environment stays at GitHub, inactive, and that is said once", async () => {
    const shop = await journey.repository(file());
    for (const branch of ["one", "two"]) {
      await shop.commit({ branch, from: "main", files: { "index.html": branch }, message: branch, author: "mira" });
      const number = await shop.openPullRequest({ title: branch, head: branch, author: "mira" });
      await deploymentBecomes(shop, `preview-pr-${number}`, "success");
      await shop.closePullRequest(number);
      await deploymentBecomes(shop, `preview-pr-${number}`, "inactive");
    }
    await until("it was tried twice", () => journey.github.requests.filter(({ method }) => method === "DELETE").length === 2);
    await calm(journey);
    expect(shop.environments()).toEqual(["preview-pr-1", "preview-pr-2"]);
    expect(journey.log.filter(({ msg }) => String(msg).includes("administration: write"))).toHaveLength(1);
  });
});
