import { afterEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository as AtGitHub } from "../../demo/github/repository.ts";
import type { Database } from "../../src/database/connection.ts";
import { readFile } from "../../src/github/contents.ts";
import { openGitHub } from "../../src/github/github.ts";
import { type Repository, rememberRepository } from "../../src/github/repository.ts";
import { knownWith } from "../../src/known.ts";
import { startMerger } from "../../src/merging/merger.ts";
import { createProbot } from "../../src/probot.ts";
import { loadRepositoryFile } from "../../src/repository-file/load.ts";
import { createCheck } from "../../src/runs/births.ts";
import { wantMergeOf, wantMergeThought } from "../../src/runs/merge-wants.ts";
import { retry } from "../../src/runs/queue.ts";
import { engines } from "../support/engines.ts";
import { checkedFetch } from "../support/github-contract.ts";
import { settingsFor } from "../support/journey.ts";

const permissions = {
  metadata: "read",
  contents: "write",
  pull_requests: "write",
  issues: "write",
  statuses: "write",
  checks: "read",
} as const;
const [[, sqlite] = []] = engines();
const file = "checks: { test: { run: a } }\nautomerge: { label: ship }\n";

describe("merging when green", () => {
  const endings: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  });

  interface Scene {
    readonly github: GitHubStandIn;
    readonly shop: AtGitHub;
    readonly database: Database;
    /** Has the pull request thought through, as an event would, and again until nothing is left to do. */
    think(): Promise<void>;
    /** The commit's check ends so. */
    ends(sha: string, outcome: "passed" | "failed"): Promise<void>;
    starts(sha: string): Promise<void>;
    merges(): number;
    said(): readonly string[];
  }

  async function open(yaml = file, allowed: Readonly<Record<string, "read" | "write">> = permissions): Promise<Scene> {
    if (sqlite === undefined) throw new Error("there is SQLite");
    const github = await startGitHub({ permissions: allowed });
    endings.push(() => github.close());
    const shop = await github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": yaml },
      permissions: { mira: "write", ana: "write" },
    });
    await shop.commit({ branch: "topic", from: "main", files: { a: "1" }, message: "One", author: "mira" });
    await shop.openPullRequest({ title: "One", head: "topic", author: "mira" });
    const database = await sqlite.open();
    const settings = settingsFor(github, { DATA_DIR: "/nowhere" });
    const log = pino({ level: "silent" });
    const probot = createProbot({ settings, log });
    const api = openGitHub({ probot, apiUrl: settings.github.api, fetch: checkedFetch(fetch) });
    const { request } = await api.asApp();
    const { data } = await request("GET /repos/{owner}/{repo}/installation", { owner: "acme", repo: "shop" });
    const repository: Repository = {
      id: shop.id,
      installation: data.id,
      owner: "acme",
      name: "shop",
      defaultBranch: "main",
      cloneUrl: shop.cloneUrl,
      private: false,
    };
    await database.write((tx) => rememberRepository(tx, repository));
    const merger = startMerger({
      settings,
      database,
      github: api,
      log,
      loadFile: (of, ref) => loadRepositoryFile((path) => readFile(api.as(of.installation), of, path, ref), knownWith()),
    });
    endings.push(() => merger.stop());
    const check = {
      repository: shop.id,
      ref: "topic",
      pullRequest: 1,
      title: null,
      person: "mira",
      name: "test",
      trust: "own",
    } as const;
    const idOf = async (sha: string) =>
      (
        await database.read((db) =>
          db.selectFrom("run").select("id").where("sha", "=", sha).where("kind", "=", "check").executeTakeFirst(),
        )
      )?.id ?? null;
    const merges = () =>
      github.requests.filter(({ method, path, status }) => method === "PUT" && /\/merge$/.test(path) && status === 200).length;
    return {
      github,
      shop,
      database,
      merges,
      async think() {
        for (let times = 0; times < 3; times += 1) {
          await database.write(async (tx) => {
            // No test waits for a pause.
            await tx.db.updateTable("merge_candidate").set({ not_before: 0 }).execute();
            await wantMergeOf(tx, { repository: shop.id, number: 1, headSha: shop.pullRequest(1).head.sha });
          });
          await merger.settled();
        }
      },
      async starts(sha) {
        const id = await idOf(sha);
        await database.write(async (tx) => {
          if (id !== null) await retry(tx, id, {});
          else
            await createCheck(tx, {
              ...check,
              sha,
              cause: { kind: "receipt", id: 1 },
              configuration: {},
              start: { state: "queued" },
            });
          await wantMergeThought(tx, shop.id, sha);
        });
      },
      async ends(sha, outcome) {
        if ((await idOf(sha)) === null)
          await database.write((tx) =>
            createCheck(tx, { ...check, sha, cause: { kind: "receipt", id: 1 }, configuration: {}, start: { state: "queued" } }),
          );
        const end = JSON.stringify(outcome === "passed" ? { kind: "passed" } : { kind: "failed", what: "it" });
        await database.write(async (tx) => {
          await tx.db
            .updateTable("run")
            .set({ state: "finished", outcome: end, finished_at: tx.now, started_at: tx.now, attempt: 1 })
            .where("sha", "=", sha)
            .where("kind", "=", "check")
            .execute();
          await wantMergeThought(tx, shop.id, sha);
        });
      },
      said: () => shop.comments(1).map(({ body }) => body.split("\n")[0] ?? ""),
    };
  }

  const head = ({ shop }: Scene) => shop.pullRequest(1).head.sha;
  const isMerged = ({ shop }: Scene) => shop.pullRequest(1).merged !== null;

  it("waits for the check and the label, sends the head, and writes it into the history", async () => {
    const scene = await open();
    await scene.think();
    await scene.ends(head(scene), "passed");
    await scene.think();
    expect(isMerged(scene)).toBe(false);
    scene.shop.label(1, "ship");
    await scene.think();
    expect(isMerged(scene)).toBe(true);
    const history = await scene.database.read((db) => db.selectFrom("history").select(["deed", "details"]).execute());
    expect(history.map((row) => ({ ...row }))).toEqual([
      { deed: "merge", details: JSON.stringify({ pull_request: 1, sha: head(scene) }) },
    ]);
    expect(scene.said()).toEqual([]);
  });

  it.each<[string, (scene: Scene) => void | Promise<void>, string, Partial<Record<string, "read" | "write">>?]>([
    [
      "a review is missing",
      ({ shop }) => shop.needReviews(1),
      "GitHub says: At least 1 approving review is required by reviewers with write access",
    ],
    [
      "it conflicts",
      async ({ shop }) => {
        await shop.commit({ branch: "main", files: { a: "2" }, message: "Two", author: "ana" });
      },
      "it conflicts with its base branch",
    ],
    [
      "contents: write is missing",
      () => {},
      "merging takes the permission “contents: write”, which the App does not have. Its owner adds it in the App's settings, and the owner of this repository accepts it",
      { contents: "read" },
    ],
  ])("says once why not when %s", async (_what, make, why, lacking = {}) => {
    const scene = await open(file, { ...permissions, ...lacking } as Record<string, "read" | "write">);
    scene.shop.label(1, "ship");
    await make(scene);
    await scene.ends(head(scene), "passed");
    await scene.think();
    await scene.think();
    expect(isMerged(scene)).toBe(false);
    expect(scene.said()).toEqual([`Signalbox does not merge this pull request: ${why}. It looks again when that changes.`]);
  });

  it("says that a workflow file takes a permission of its own", async () => {
    const scene = await open();
    const files = { ".github/workflows/ci.yml": "on: push" };
    await scene.shop.commit({ branch: "topic", files, message: "Workflow", author: "mira" });
    scene.shop.label(1, "ship");
    await scene.ends(head(scene), "passed");
    await scene.think();
    expect(scene.said()[0]).toContain("which takes the permission “workflows: write”");
  });

  it("merges nothing unseen: without a single check it says so", async () => {
    const scene = await open("automerge: {}\n");
    await scene.think();
    expect(isMerged(scene)).toBe(false);
    expect(scene.said()[0]).toContain("name a check, and nothing is merged unseen");
  });

  it("lets no pull request turn itself green by leaving a check out", async () => {
    const scene = await open();
    scene.shop.label(1, "ship");
    const files = { ".github/signalbox.yml": "checks: { easy: { run: a } }\nautomerge: {}\n" };
    await scene.shop.commit({ branch: "topic", files, message: "Sly", author: "mira" });
    await scene.database.write((tx) =>
      createCheck(tx, {
        ...{ repository: scene.shop.id, ref: "topic", pullRequest: 1, title: null, person: "mira", name: "easy", trust: "own" },
        ...{ sha: head(scene), cause: { kind: "receipt", id: 1 }, configuration: {} },
        start: { state: "finished", outcome: { kind: "passed" } },
      }),
    );
    await scene.think();
    expect(isMerged(scene)).toBe(false);
    expect(scene.said()[0]).toContain("test of the base branch's file did not run on this head");
  });

  it.each(["byRuleset", "byProtection"] as const)("needs what others say where the branch requires it (%s)", async (how) => {
    const scene = await open();
    scene.shop.require("main", { [how]: ["ci/other", "signalbox"] });
    scene.shop.label(1, "ship");
    await scene.shop.status({ sha: head(scene), context: "signalbox", state: "success", by: "ana" });
    await scene.shop.status({ sha: head(scene), context: "ci/other", state: "success", by: "ana" });
    await scene.think();
    // Whoever can post a status says nothing about our own checks.
    expect(isMerged(scene)).toBe(false);
    await scene.shop.status({ sha: head(scene), context: "ci/other", state: "failure", by: "ana" });
    await scene.ends(head(scene), "passed");
    await scene.think();
    expect(isMerged(scene)).toBe(false);
    await scene.shop.status({ sha: head(scene), context: "ci/other", state: "success", by: "ana" });
    await scene.think();
    expect(isMerged(scene)).toBe(true);
  });

  it("asks again while GitHub is still finding out", async () => {
    const scene = await open();
    scene.shop.label(1, "ship");
    scene.shop.think(1, 2);
    await scene.ends(head(scene), "passed");
    await scene.think();
    expect(isMerged(scene)).toBe(true);
  });

  it("never merges what is not green, and never twice, whatever happens in which order", async () => {
    type Step =
      | "push"
      | "label"
      | "unlabel"
      | "review"
      | "other green"
      | "other red"
      | "green"
      | "red"
      | "again"
      | "think"
      | "cut";
    const step = fc.constantFrom<Step>(
      ...(["push", "label", "unlabel", "review", "other green", "other red", "green", "red", "again", "cut"] as const),
      ...(["label", "green", "other green", "review", "think", "think", "think"] as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 10 }), async (steps) => {
        const scene = await open();
        scene.shop.require("main", { byRuleset: ["ci/other"] });
        scene.shop.needReviews(1);
        const own = new Map<string, string>();
        const other = new Map<string, string>();
        let [labelled, reviewed] = [false, false];
        const mayMerge = () => {
          const sha = head(scene);
          return labelled && reviewed && own.get(sha) === "green" && other.get(sha) === "other green";
        };
        for (const [at, one] of [...steps, "think" as const].entries()) {
          if (isMerged(scene)) break;
          switch (one) {
            case "push":
              await scene.shop.commit({ branch: "topic", files: { a: `${at}` }, message: `${at}`, author: "mira" });
              break;
            case "label":
              scene.shop.label(1, "ship");
              labelled = true;
              break;
            case "unlabel":
              scene.shop.unlabel(1, "ship");
              labelled = false;
              break;
            case "review":
              scene.shop.review(1, { by: "ana", state: "approved" });
              reviewed = true;
              break;
            case "other green":
            case "other red": {
              const state = one === "other green" ? "success" : "failure";
              await scene.shop.status({ sha: head(scene), context: "ci/other", state, by: "ana" });
              other.set(head(scene), one);
              break;
            }
            case "green":
            case "red":
              own.set(head(scene), one);
              await scene.ends(head(scene), one === "green" ? "passed" : "failed");
              break;
            case "again":
              own.set(head(scene), one);
              await scene.starts(head(scene));
              break;
            case "cut":
              scene.github.fault({ method: "PUT", path: /\/merge/, answer: "cut after" });
              break;
            case "think":
              await scene.think();
              expect(isMerged(scene)).toBe(mayMerge());
              break;
          }
          // An event may have had it merged at once; then it was right at this moment.
          if (isMerged(scene)) expect(mayMerge()).toBe(true);
        }
        await scene.think();
        expect(scene.merges()).toBeLessThanOrEqual(1);
        const deeds = await scene.database.read((db) => db.selectFrom("history").select("deed").execute());
        expect(deeds.length).toBe(isMerged(scene) ? 1 : 0);
        for (const end of endings.splice(0).toReversed()) await end();
      }),
      { numRuns: 5 },
    );
  });
});
