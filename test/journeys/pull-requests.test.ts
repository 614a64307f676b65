import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { usualPermissions } from "../../demo/github/create-world.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { settle } from "../../src/reporting/hold.ts";
import { raise, subjectToText } from "../../src/runs/reports.ts";
import {
  calm,
  deliver,
  deploymentBecomes,
  handled,
  held,
  heldCommand,
  letGo,
  statusBecomes,
  useJourneys,
  useSharedJourney,
} from "../support/journey.ts";
import { until } from "../support/until.ts";

/** A file whose checks are these. */
function checks(yaml: string): Record<string, string> {
  return { ".github/signalbox.yml": `checks:\n${yaml}\n` };
}

/** The states that a context went through, oldest first. */
function history(repository: Repository, sha: string, context: string): readonly string[] {
  return repository
    .allStatuses(sha)
    .filter((status) => status.context === context)
    .map((status) => status.state)
    .reverse();
}

describe("checks of a pull request", () => {
  const journey = useSharedJourney();

  /** Opens a pull request, by mira, that changes one file. */
  async function propose(repository: Repository, branch: string, files: Record<string, string> = { [branch]: "new\n" }) {
    const sha = await repository.commit({ branch, from: "main", files, message: branch, author: "mira" });
    const number = await repository.openPullRequest({ title: branch, head: branch, author: "mira" });
    return { sha, number };
  }

  it("show as pending, each and their aggregate, run, and end as success, with a link to the run's page", async () => {
    const shop = await journey.repository(checks(`  lint: { run: "true" }\n  test: { run: "${held}" }`));
    const { sha } = await propose(shop, "autumn");

    await statusBecomes(shop, sha, "signalbox/lint", "success");
    expect(await statusBecomes(shop, sha, "signalbox/test", "pending")).toMatchObject({ description: expect.any(String) });
    expect((await statusBecomes(shop, sha, "signalbox", "pending")).description).toContain("waiting for");
    await letGo(journey.folder);

    const test = await statusBecomes(shop, sha, "signalbox/test", "success");
    expect(test.description).toMatch(/^Passed in \d+ s$/);
    expect(test.targetUrl).toMatch(/^http:\/\/127\.0\.0\.1:3000\/acme-\d+\/shop\/runs\/\d+$/);
    expect((await statusBecomes(shop, sha, "signalbox", "success")).description).toMatch(/^All 2 checks passed in \d+ s$/);
    expect(history(shop, sha, "signalbox/lint")[0]).toBe("pending");
    expect(history(shop, sha, "signalbox")[0]).toBe("pending");
  });

  it("and the delivery they came of are found in the log by one id, to the last status", async () => {
    const shop = await journey.repository(checks('  test: { run: "true" }'));
    const { sha } = await propose(shop, "autumn");
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    const ended = journey.log.findLast(({ msg }) => msg === "run ended");
    const told = journey.log.filter(({ receipt }) => receipt === ended?.receipt);
    expect(told.map(({ msg }) => msg)).toEqual(expect.arrayContaining(["webhook handled", "run started", "run ended"]));
    expect(told).toContainEqual(expect.objectContaining({ delivery: expect.any(String), event: "pull_request" }));
    expect(told.filter(({ msg }) => msg === "GitHub was told").map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([`run ${ended?.run}`, `commit ${shop.id} ${sha}`]),
    );
  });

  it("run steps one by one, with env, and say which one failed and with what", async () => {
    const file = `
  test:
    env: { NODE_ENV: test }
    run:
      - { name: Prepare, run: 'echo "$NODE_ENV" > env' }
      - { name: Unit tests, run: '[ "$(cat env)" = test ] && exit 3' }
      - { name: Never, run: touch never }`;
    const shop = await journey.repository(checks(file));
    const { sha } = await propose(shop, "autumn");

    const status = await statusBecomes(shop, sha, "signalbox/test", "failure");
    expect(status.description).toMatch(/^Failed: Unit tests exited with 3 after \d+ s$/);
    expect((await statusBecomes(shop, sha, "signalbox", "failure")).description).toBe("Failed: test");
    const id = Number(status.targetUrl?.split("/").at(-1));
    const steps = await journey.server.database.read((db) =>
      db.selectFrom("step").select(["name", "exit_code"]).where("run", "=", id).orderBy("number").execute(),
    );
    expect(steps.map(({ name, exit_code }) => [name, exit_code])).toEqual([
      [expect.stringMatching(/^Check out /), null],
      ["Prepare", 0],
      ["Unit tests", 3],
    ]);
  });

  it("end as failure when their time is over", async () => {
    const shop = await journey.repository(checks("  test: { run: sleep 600, timeout: 1s }"));
    const { sha } = await propose(shop, "autumn");
    expect((await statusBecomes(shop, sha, "signalbox/test", "failure")).description).toMatch(/^Failed: timed out after 1 s/);
  });

  it("of older commits are cancelled by new commits", async () => {
    const shop = await journey.repository(checks(`  test: { run: "${held}" }`));
    const { sha: before } = await propose(shop, "autumn");
    await heldCommand(journey.folder);
    const after = await shop.commit({ branch: "autumn", files: { more: "" }, message: "More", author: "mira" });

    const superseded = await statusBecomes(shop, before, "signalbox/test", "error");
    expect(superseded.description).toBe(`Superseded by ${after.slice(0, 7)}`);
    await statusBecomes(shop, before, "signalbox", "error");
    await letGo(journey.folder);
    await statusBecomes(shop, after, "signalbox", "success");
  });

  it("of older commits go on when another open pull request has them as its head, and both share the runs", async () => {
    const shop = await journey.repository(checks(`  test: { run: "${held}" }`));
    const { sha } = await propose(shop, "autumn");
    await shop.openPullRequest({ title: "Release", head: "autumn", base: await branchOf(shop), author: "jonas" });
    await heldCommand(journey.folder);
    await shop.closePullRequest(1);
    await handled(journey);
    await letGo(journey.folder);

    await statusBecomes(shop, sha, "signalbox/test", "success");
    const runs = await journey.server.database.read((db) =>
      db.selectFrom("run").select(["id", "attempt"]).where("repository", "=", shop.id).where("sha", "=", sha).execute(),
    );
    expect(runs).toHaveLength(1);
    expect(runs[0]?.attempt).toBe(1);
  });

  /** A second branch to merge into. */
  async function branchOf(repository: Repository): Promise<string> {
    await repository.commit({ branch: "release", from: "main", files: { release: "" }, message: "Release", author: "jonas" });
    return "release";
  }

  it("are cancelled when it is closed, and run when it is reopened", async () => {
    const shop = await journey.repository(checks(`  test: { run: "${held}" }`));
    const { sha, number } = await propose(shop, "autumn");
    await heldCommand(journey.folder);
    await shop.closePullRequest(number);
    const cancelled = await statusBecomes(shop, sha, "signalbox/test", "error");
    expect(cancelled.description).toBe(`Cancelled: pull request #${number} was closed`);

    await shop.reopenPullRequest(number);
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  it("run when it is closed and reopened before they have stopped", async () => {
    const shop = await journey.repository(checks(`  test: { run: "trap 'touch asked' TERM; ${held}" }`));
    const { sha, number } = await propose(shop, "autumn");
    const [workspace = ""] = await heldCommand(journey.folder);
    await shop.closePullRequest(number);
    await until("it was asked to end", () => existsSync(join(workspace, "asked")));
    await shop.reopenPullRequest(number);
    await handled(journey);
    await letGo(journey.folder);
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  it("go on when it is merged: the gate needs them", async () => {
    const shop = await journey.repository({
      ".github/signalbox.yml": `
checks: { test: { run: "${held}" } }
environments: { staging: { trigger: merge, target: directory, with: { path: staging } } }
`,
    });
    const { sha, number } = await propose(shop, "autumn");
    await heldCommand(journey.folder);
    const merged = await shop.merge(number, { method: "squash" });
    const waiting = await deploymentBecomes(shop, "staging", "queued", merged);
    await until("the gate is named", () =>
      waiting.statuses.at(-1)?.description.startsWith("Waiting for checks: test is pending"),
    );
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox/test", "success");
    await deploymentBecomes(shop, "staging", "success", merged);
    expect(shop.statuses(merged)).toEqual([]);
  });

  it("run for a draft, and nothing new happens when it is ready for review", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira", draft: true });
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    const before = shop.allStatuses(sha).length;
    await shop.readyForReview(number);
    await calm(journey);
    expect(shop.allStatuses(sha)).toHaveLength(before);
  });

  it("follow the file at its head: a check that is renamed never blocks a branch", async () => {
    const shop = await journey.repository(checks(`  old: { run: "false" }`));
    const { sha: before } = await propose(shop, "autumn");
    await statusBecomes(shop, before, "signalbox", "failure");
    const after = await shop.commit({
      branch: "autumn",
      files: checks(`  new: { run: "true" }`),
      message: "Rename the check",
      author: "mira",
    });
    await statusBecomes(shop, after, "signalbox", "success");
    expect(shop.statuses(after).map(({ context }) => context)).not.toContain("signalbox/old");
  });

  it("with paths that no changed file matches are a success, and run when a new base makes them match", async () => {
    const shop = await journey.repository(checks(`  web: { run: "true", paths: ["web/**"] }\n  test: { run: "true" }`));
    const base = await shop.commit({ branch: "next", from: "main", files: { "web/a": "" }, message: "Next", author: "mira" });
    await shop.commit({ branch: "autumn", from: base, files: { "docs/a": "" }, message: "Docs", author: "mira" });
    const number = await shop.openPullRequest({ title: "Docs", head: "autumn", base: "next", author: "mira" });
    const sha = await shop.head("autumn");
    const skipped = await statusBecomes(shop, sha, "signalbox/web", "success");
    expect(skipped.description).toBe("Skipped: no file matches");
    await statusBecomes(shop, sha, "signalbox", "success");

    await shop.changeBase(number, "main");
    await until("it ran", () =>
      shop.statuses(sha).find(({ context, description }) => context === "signalbox/web" && description?.startsWith("Passed")),
    );
  });

  it("are not touched by an edit of the title", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha } = await propose(shop, "autumn");
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    const requests = journey.github.requests.length;
    const opened = lastPayload("pull_request", shop);
    await deliver(journey, "pull_request", { ...opened, action: "edited", changes: { title: { from: "Before" } } });
    await calm(journey);
    expect(journey.github.requests.slice(requests)).toEqual([]);
  });

  function lastPayload(event: string, repository: Repository): Record<string, unknown> {
    const delivery = journey.github.deliveries().findLast((one) => one.event === event && one.repository === repository.id);
    return JSON.parse(delivery?.request.payload ?? "{}");
  }

  it("cost at most two requests from the webhook to the first pending, once the token is cached", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    await statusBecomes(shop, (await propose(shop, "autumn")).sha, "signalbox", "success");
    await shop.commit({ branch: "winter", from: "main", files: { winter: "" }, message: "Winter", author: "mira" });
    await calm(journey);
    const before = journey.github.requests.length;
    const sha = await shop.head("winter");
    await shop.openPullRequest({ title: "Winter", head: "winter", author: "mira" });
    await statusBecomes(shop, sha, "signalbox", "success");
    // What merges and chats look up of the default branch goes on beside it, and holds nothing up.
    const asked = journey.github.requests
      .slice(before)
      .map(({ method, path }) => `${method} ${path}`)
      .filter((request) => request.includes(sha));
    expect(asked[0]).toMatch(/^GET .*\/contents\/.github/);
    expect(asked[1]).toMatch(/^POST .*\/statuses\//);
  });
});

describe("checks of a pull request as check runs", () => {
  const journeys = useJourneys();
  const journey = useSharedJourney({
    github: { permissions: { ...usualPermissions, checks: "write" } },
    env: { SHOW_CHECKS_AS: "check-runs" },
  });

  /** A check run by its name as it is now; the newest counts. */
  const newest = (shop: Repository, sha: string, name: string) => shop.checkRuns(sha).findLast((run) => run.name === name);

  async function ends(shop: Repository, sha: string, name: string, conclusion: string) {
    return until(`${name} is ${conclusion}`, () => {
      const run = newest(shop, sha, name);
      return run?.conclusion === conclusion ? run : null;
    });
  }

  async function open(yaml: string) {
    const shop = await journey.repository({ ".github/signalbox.yml": yaml });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    return { shop, sha };
  }

  const noisy = (count: number) =>
    `for line in $(seq 1 ${count}); do echo "::error file=src/cart.ts,line=$line,col=2::Wrong: $line"; done; exit 1`;

  it("begin, and end with a summary and the page of the run, and leave no commit status", async () => {
    const { shop, sha } = await open(`checks: { test: { run: [{ name: Unit, run: "${held}" }] } }`);
    await heldCommand(journey.folder);
    await until("the check run is in progress", () => newest(shop, sha, "signalbox/test")?.status === "in_progress");
    await letGo(journey.folder);
    const run = await ends(shop, sha, "signalbox/test", "success");
    expect(run).toMatchObject({
      detailsUrl: expect.stringMatching(/\/runs\/\d+$/),
      output: { title: expect.stringMatching(/^Passed in/) },
    });
    expect(run.output.summary).toMatch(/^`Passed in \d+ s`\n.*- `Unit`: \d+ s\n.*\[The log\]\(http/s);
    expect((await ends(shop, sha, "signalbox", "success")).output.summary).toMatch(/- \[`test`\]\(http.*\): `Passed in/);
    await calm(journey);
    expect(shop.checkRuns(sha)).toHaveLength(2);
    expect(shop.allStatuses(sha)).toEqual([]);
  });

  it("show each line that ::error names, 50 in a request, once, although GitHub fails in between", async () => {
    const { shop, sha } = await open(`checks: { test: { run: '${noisy(120)}' } }`);
    journey.github.fault({ method: "PATCH", path: /check-runs/, times: 3, answer: "cut after" });
    const run = await ends(shop, sha, "signalbox/test", "failure");
    await until("all lines are shown", () => run.annotations.length >= 120);
    await calm(journey);
    expect(run.annotations.map((one) => one.start_line)).toEqual(Array.from({ length: 120 }, (_, at) => at + 1));
    expect(run.annotations[6]).toEqual({
      path: "src/cart.ts",
      start_line: 7,
      end_line: 7,
      annotation_level: "failure",
      message: "Wrong: 7",
    });
  });

  it("are created once although GitHub's answer to it was lost", async () => {
    journey.github.fault({ method: "POST", path: /check-runs/, times: 2, answer: "cut after" });
    const { shop, sha } = await open(`checks: { test: { run: "true" } }`);
    await ends(shop, sha, "signalbox/test", "success");
    await ends(shop, sha, "signalbox", "success");
    await calm(journey);
    expect(
      shop
        .checkRuns(sha)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["signalbox", "signalbox/test"]);
  });

  it("run again when somebody who may write presses Re-run, each try with its own annotations", async () => {
    const { shop, sha } = await open(`checks: { test: { run: '${noisy(2)}' } }`);
    const first = await ends(shop, sha, "signalbox/test", "failure");
    await ends(shop, sha, "signalbox", "failure");
    await calm(journey);
    shop.rerun(first.id, "octocat");
    await handled(journey);
    expect(shop.checkRuns(sha)).toHaveLength(2);
    expect(journey.log).toContainEqual(
      expect.objectContaining({ msg: "a re-run was refused", why: "octocat has no write permission" }),
    );

    shop.rerun(first.id, "mira");
    await until(
      "a second try has ended",
      () => shop.checkRuns(sha).filter(({ name, conclusion }) => name === "signalbox/test" && conclusion === "failure")[1],
    );
    await calm(journey);
    const aggregate = newest(shop, sha, "signalbox");
    shop.rerun(aggregate?.id ?? 0, "mira");
    await until(
      "a third try has ended",
      () => shop.checkRuns(sha).filter(({ name, conclusion }) => name === "signalbox/test" && conclusion === "failure")[2],
    );
    await calm(journey);
    const tries = shop.checkRuns(sha).filter(({ name }) => name === "signalbox/test");
    expect(tries.map((run) => run.annotations.length)).toEqual([2, 2, 2]);
    expect(shop.checkRuns(sha).filter(({ name }) => name === "signalbox")).toEqual([
      expect.objectContaining({ conclusion: "failure" }),
    ]);
    const history = await journey.server.database.read((db) =>
      db.selectFrom("history").select(["deed", "person", "door"]).where("repository", "=", shop.id).execute(),
    );
    expect(history).toEqual(
      Array.from({ length: 2 }, () => expect.objectContaining({ deed: "retry", person: "mira", door: "check run" })),
    );
  });

  it("name the lines of the repository file that are wrong", async () => {
    const { shop, sha } = await open("checks:\n  test: { run: 'true' }\nfoo: 1\n");
    const run = await ends(shop, sha, "signalbox/config", "failure");
    expect(run.annotations).toEqual([expect.objectContaining({ path: ".github/signalbox.yml", start_line: 3 })]);
  });

  it("take the permission checks: write, and it is said once in the log what is missing", async () => {
    const other = await journeys.start({ env: { SHOW_CHECKS_AS: "check-runs" } });
    const shop = await other.github.repository({
      owner: "acme",
      name: "shop",
      files: checks('  test: { run: "true" }'),
      permissions: { mira: "write" },
    });
    await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await calm(other);
    const said = other.log.filter(({ msg }) => String(msg).includes("for want of a permission"));
    expect(said).toEqual([
      expect.objectContaining({ err: expect.objectContaining({ message: expect.stringContaining("checks=write") }) }),
    ]);
  });

  it("go on in the same one after the server was restarted, and are said once however often they are asked for", async () => {
    const other = await journeys.start({
      github: { permissions: { ...usualPermissions, checks: "write" } },
      env: { SHOW_CHECKS_AS: "check-runs" },
    });
    const files = checks(`  test: { run: '${held}; ${noisy(1)}' }`);
    const shop = await other.github.repository({ owner: "acme", name: "shop", files, permissions: { mira: "write" } });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await heldCommand(other.folder);
    await other.restart();
    await letGo(other.folder);
    await ends(shop, sha, "signalbox", "failure");
    const { database } = other.server;
    const subjects = [{ kind: "run", id: 1 } as const, { kind: "commit", sha } as const];
    await database.write((tx) => raise(tx, shop.id, subjects));
    await calm(other);
    // A replica that lost its hold comes too late with what it said: nobody knows any more which of the two GitHub shows.
    for (const subject of subjects) {
      const key = subjectToText(shop.id, subject);
      const report = { key, subject, repository: shop.id, wanted: 1, said: null, attempts: 1 };
      await settle(database, "a replica that fell silent", report, { problem: null });
    }
    await calm(other);
    expect(
      shop
        .checkRuns(sha)
        .map(({ name, conclusion, annotations }) => [name, conclusion, annotations.length])
        .toSorted(),
    ).toEqual([
      ["signalbox", "failure", 0],
      ["signalbox/test", "failure", 1],
    ]);
  });

  it("end as they began when the setting changes", async () => {
    const other = await journeys.start({ github: { permissions: { ...usualPermissions, checks: "write" } } });
    const shop = await other.github.repository({
      owner: "acme",
      name: "shop",
      files: checks(`  test: { run: "${held}" }`),
      permissions: { mira: "write" },
    });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await heldCommand(other.folder);
    await other.restart({ SHOW_CHECKS_AS: "check-runs" });
    await letGo(other.folder);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(other);
    expect(shop.checkRuns(sha)).toEqual([]);
  });
});
