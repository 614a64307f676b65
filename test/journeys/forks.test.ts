import { readlinkSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { calm, held, heldCommand, sandbox, statusBecomes, useJourneys, useSharedJourney } from "../support/journey.ts";
import { until } from "../support/until.ts";

/** A file whose checks are these. */
function checks(yaml: string): Record<string, string> {
  return { ".github/signalbox.yml": `checks:\n${yaml}\n` };
}

const short = (sha: string) => sha.slice(0, 7);

/** For stories in which a fork's check runs: without a sandbox none does. */
const isolated = (await sandbox) === "bubblewrap" ? it : it.skip;

/** Opens a pull request, by octocat, from a fork of theirs. */
async function proposeFrom(repository: Repository, files: Record<string, string> = { autumn: "new\n" }, base = "main") {
  const fork = await repository.fork("octocat");
  const sha = await fork.commit({ branch: "autumn", from: base, files, message: "Autumn", author: "octocat" });
  const number = await repository.openPullRequest({ title: "Autumn", head: "autumn", base, author: "octocat", fork: "octocat" });
  return { fork, sha, number };
}

/** Waits until a comment has been reacted to, and gives the reactions. */
async function reactionsTo(repository: Repository, number: number, id: number) {
  return until("the comment has a reaction", () => {
    const comment = repository.comments(number).find((one) => one.id === id);
    return comment !== undefined && comment.reactions.length > 0 && comment.reactions.map(({ content }) => content);
  });
}

describe("a pull request from a fork", () => {
  const journey = useSharedJourney();

  async function command(repository: Repository, number: number, body: string, by = "mira") {
    return reactionsTo(repository, number, await repository.comment({ by, number, body }));
  }

  async function attempts(repository: Repository): Promise<number> {
    const rows = await journey.server.database.read((db) =>
      db
        .selectFrom("attempt")
        .innerJoin("run", "run.id", "attempt.run")
        .select("attempt.number")
        .where("run.repository", "=", repository.id)
        .execute(),
    );
    return rows.length;
  }

  isolated("runs nothing until a person with write permission approves its commit, and shows the very command", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha, number } = await proposeFrom(shop);
    const waiting = `Waiting for approval: /approve ${short(sha)}`;
    expect((await statusBecomes(shop, sha, "signalbox/test", "pending")).description).toBe(waiting);
    expect((await statusBecomes(shop, sha, "signalbox", "pending")).description).toBe(waiting);
    await calm(journey);
    expect(await attempts(shop)).toBe(0);
    expect(await command(shop, number, `/approve ${short(sha)}`)).toEqual(["rocket"]);
    await statusBecomes(shop, sha, "signalbox/test", "success");
    await statusBecomes(shop, sha, "signalbox", "success");
    expect(shop.comments(number)).toHaveLength(1);
  });

  isolated("follows the base branch's file, whatever its own says", async () => {
    const shop = await journey.repository(checks(`  test: { run: "exit 3" }`));
    const { sha, number } = await proposeFrom(shop, checks(`  test: { run: "true" }\n  mine: { run: "true" }`));
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    await command(shop, number, `/approve ${sha}`);
    expect((await statusBecomes(shop, sha, "signalbox/test", "failure")).description).toContain("exited with 3");
    expect(shop.statuses(sha).map(({ context }) => context)).not.toContain("signalbox/mine");
  });

  isolated("needs a new approval for each push", async () => {
    const shop = await journey.repository(checks(`  test: { run: "${held}" }`));
    const { fork, sha, number } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    await command(shop, number, `/approve ${sha}`);
    await heldCommand(journey.folder);
    const after = await fork.commit({ branch: "autumn", files: { evil: "" }, message: "More", author: "octocat" });

    expect((await statusBecomes(shop, sha, "signalbox/test", "error")).description).toBe(`Superseded by ${short(after)}`);
    const waiting = await statusBecomes(shop, after, "signalbox/test", "pending");
    expect(waiting.description).toBe(`Waiting for approval: /approve ${short(after)}`);
    await calm(journey);
    expect(await attempts(shop)).toBe(1);
  });

  it("cannot be approved by a SHA that is not its head: a push just before the comment slips in nothing", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { fork, sha, number } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    const after = await fork.commit({ branch: "autumn", files: { evil: "" }, message: "More", author: "octocat" });
    expect(await command(shop, number, `/approve ${short(sha)}`)).toEqual(["confused"]);

    const answer = await until("it is answered", () => shop.comments(number).find(({ author }) => author.type === "Bot"));
    expect(answer.body).toContain(`The head is ${short(after)} now, not ${short(sha)}`);
    expect(answer.body).toContain(`/approve ${short(after)}`);
    await calm(journey);
    expect(await attempts(shop)).toBe(0);
  });

  it("is not approved by its author, who may not write", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha, number } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    expect(await command(shop, number, `/approve ${sha}`, "octocat")).toEqual(["-1"]);
    await calm(journey);
    expect(await attempts(shop)).toBe(0);
    expect(shop.comments(number)).toHaveLength(1);
  });

  isolated("has no network", async () => {
    const outside = readlinkSync("/proc/self/ns/net");
    const shop = await journey.repository(
      checks(`  test: { run: '[ "$(readlink /proc/self/ns/net)" != "${outside}" ] && [ "$(grep -c : /proc/net/dev)" = 1 ]' }`),
    );
    const { sha, number } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    await command(shop, number, `/approve ${sha}`);
    await statusBecomes(shop, sha, "signalbox/test", "success");
  });

  isolated("runs nothing on another CI: nobody there keeps it from a network and from secrets", async () => {
    const url = "https://ci.example.com/builds";
    const shop = await journey.repository(checks(`  e2e: { runner: webhook, with: { url: "${url}", secret: CI_SECRET } }`));
    const { sha, number } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/e2e", "pending");
    await command(shop, number, `/approve ${sha}`);
    expect((await statusBecomes(shop, sha, "signalbox/e2e", "error")).description).toContain("runs nothing of forks");
  });

  it("waits again when it is closed and reopened", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha, number } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    await shop.closePullRequest(number);
    await statusBecomes(shop, sha, "signalbox/test", "error");
    await shop.reopenPullRequest(number);
    expect((await statusBecomes(shop, sha, "signalbox/test", "pending")).description).toContain("/approve");
    await calm(journey);
    expect(await attempts(shop)).toBe(0);
  });

  it("waits again when its cancelled checks are retried", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha, number } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    expect(await command(shop, number, "/cancel")).toEqual(["rocket"]);
    await statusBecomes(shop, sha, "signalbox/test", "error");
    expect(await command(shop, number, "/retry")).toEqual(["rocket"]);
    expect((await statusBecomes(shop, sha, "signalbox/test", "pending")).description).toContain("/approve");
    await calm(journey);
    expect(await attempts(shop)).toBe(0);
  });

  it("waits even when something has queued it: the claim asks for the approval too", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    await calm(journey);
    await journey.server.database.write(async (tx) => {
      await tx.db.updateTable("run").set({ state: "queued", gates: null }).where("repository", "=", shop.id).execute();
      tx.ring("runs");
    });
    await until("it waits", () =>
      journey.server.database.read(async (db) => {
        const run = await db.selectFrom("run").select("state").where("repository", "=", shop.id).executeTakeFirst();
        return run?.state === "waiting";
      }),
    );
    expect(await attempts(shop)).toBe(0);
  });

  it("is let go of when it is merged before anybody approved it", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha, number } = await proposeFrom(shop);
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    await shop.merge(number, { by: "mira" });
    await statusBecomes(shop, sha, "signalbox/test", "error");
  });

  isolated("is checked anew by the file of a new base: what passed by another one's says nothing", async () => {
    const shop = await journey.repository(checks(`  test: { run: "exit 3" }`));
    await shop.commit({ branch: "lax", from: "main", files: checks(`  test: { run: "true" }`), message: "Lax", author: "mira" });
    const { sha, number } = await proposeFrom(shop, { autumn: "new\n" }, "main");
    await shop.changeBase(number, "lax", "octocat");
    await journey.github.idle();
    await command(shop, number, `/approve ${sha}`);
    await statusBecomes(shop, sha, "signalbox", "success");
    await shop.changeBase(number, "main", "octocat");
    await statusBecomes(shop, sha, "signalbox", "failure");
  });

  it("leaves the word to the repository's own checks of the same commit", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const sha = await shop.commit({ branch: "autumn", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.fork("octocat");
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "octocat", fork: "octocat" });
    await statusBecomes(shop, sha, "signalbox/test", "pending");
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, sha, "signalbox", "success");
    await shop.closePullRequest(1);
    await calm(journey);
    expect(
      shop
        .statuses(sha)
        .map(({ context, state }) => `${context} ${state}`)
        .sort(),
    ).toEqual(["signalbox success", "signalbox/test success"]);
    expect(await attempts(shop)).toBe(1);
  });

  it("that asks for no checks gets none, and no success either", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const fork = await shop.fork("octocat");
    const sha = await fork.commit({ branch: "docs", files: { docs: "" }, message: "Docs [skip ci]", author: "octocat" });
    await shop.openPullRequest({ title: "Docs", head: "docs", author: "octocat", fork: "octocat" });
    await calm(journey);
    expect(shop.statuses(sha)).toEqual([]);
  });
});

describe("a head that asks for no checks", () => {
  const journey = useSharedJourney();

  it.each(["Fix a typo [skip ci]", "Fix a typo\n\n[CI SKIP]"])("is told nothing of: %j", async (message) => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const before = await shop.commit({ branch: "autumn", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, before, "signalbox", "success");
    const sha = await shop.commit({ branch: "autumn", files: { autumn: "typo" }, message, author: "mira" });
    await calm(journey);
    expect(shop.statuses(sha)).toEqual([]);

    const after = await shop.commit({ branch: "autumn", files: { autumn: "more" }, message: "More", author: "mira" });
    await statusBecomes(shop, after, "signalbox", "success");
  });

  it("is asked for at GitHub when no push has told of it", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    journey.github.fault({ webhook: "drop", event: "push" });
    const sha = await shop.commit({ branch: "autumn", files: { autumn: "" }, message: "Autumn [skip ci]", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await calm(journey);
    expect(shop.statuses(sha)).toEqual([]);
  });
});

describe("a pull request from a fork, on a server without a sandbox", () => {
  const journeys = useJourneys();

  it("never runs, and says so", async () => {
    const journey = await journeys.start({ env: { SANDBOX: "none" } });
    const shop = await journey.github.repository({
      owner: "acme",
      name: "shop",
      files: checks(`  test: { run: "true" }`),
      permissions: { mira: "write" },
    });
    const { sha, number } = await proposeFrom(shop);
    const status = await statusBecomes(shop, sha, "signalbox/test", "pending");
    expect(status.description).toContain("no sandbox (SANDBOX=none), so nothing of a fork runs here");
    const id = await shop.comment({ by: "mira", number, body: `/approve ${sha}` });
    expect(await reactionsTo(shop, number, id)).toEqual(["confused"]);
    await calm(journey);
    expect(shop.comments(number).at(-1)?.body).toContain("SANDBOX=none");
    const attempt = await journey.server.database.read((db) => db.selectFrom("attempt").select("run").executeTakeFirst());
    expect(attempt).toBeUndefined();
  });
});
