import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import {
  calm,
  deliver,
  deploymentBecomes,
  held,
  heldCommand,
  letGo,
  statusBecomes,
  useSharedJourney,
} from "../support/journey.ts";
import { until } from "../support/until.ts";

/** A file whose checks are these. */
function checks(yaml: string): Record<string, string> {
  return { ".github/signalbox.yml": `checks:\n${yaml}\n` };
}

describe("a comment on a pull request", () => {
  const journey = useSharedJourney();

  async function propose(repository: Repository) {
    const sha = await repository.commit({ branch: "autumn", files: { autumn: "" }, message: "Autumn", author: "mira" });
    const number = await repository.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    return { sha, number };
  }

  /** Writes one and waits until it has a reaction; gives the reactions and what was answered. */
  async function say(repository: Repository, number: number, body: string, by = "mira") {
    const id = await repository.comment({ by, number, body });
    return replyTo(repository, number, id);
  }

  async function replyTo(repository: Repository, number: number, id: number) {
    const reactions = await until("it has a reaction", () => {
      const found = repository.comments(number).find((comment) => comment.id === id)?.reactions ?? [];
      return found.length > 0 && found.map(({ content }) => content);
    });
    await calm(journey);
    const answers = repository
      .comments(number)
      .filter(({ author, body }) => author.type === "Bot" && body.includes(`answers ${id} `));
    return { id, reactions, answers: answers.map(({ body }) => body) };
  }

  async function attemptsOf(repository: Repository): Promise<readonly string[]> {
    const rows = await journey.server.database.read((db) =>
      db
        .selectFrom("attempt")
        .innerJoin("run", "run.id", "attempt.run")
        .select(["run.name", "attempt.number"])
        .where("run.repository", "=", repository.id)
        .orderBy("run.id")
        .orderBy("attempt.number")
        .execute(),
    );
    return rows.map(({ name, number }) => `${name} ${number}`);
  }

  async function historyOf(repository: Repository) {
    return journey.server.database.read((db) =>
      db.selectFrom("history").selectAll().where("repository", "=", repository.id).orderBy("id").execute(),
    );
  }

  /** `null` until all is said about a comment. */
  async function answeredAt(id: number): Promise<number | null> {
    const row = await journey.server.database.read((db) =>
      db.selectFrom("comment").select("answered_at").where("id", "=", id).executeTakeFirst(),
    );
    return row?.answered_at ?? null;
  }

  /** The webhook that told of a comment. */
  function payloadOf(id: number) {
    const deliveries = journey.github.deliveries().filter(({ event }) => event === "issue_comment");
    const delivery = deliveries.find(({ request }) => JSON.parse(request.payload).comment.id === id);
    return { guid: delivery?.guid ?? "", payload: JSON.parse(delivery?.request.payload ?? "{}") };
  }

  it("/retry runs what failed once more, and the history says who wanted it", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }\n  lint: { run: "true" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    await calm(journey);
    expect(await say(shop, number, "A hiccup, I think.\n\n/retry")).toMatchObject({ reactions: ["rocket"], answers: [] });
    expect(await attemptsOf(shop)).toEqual(["test 1", "test 2", "lint 1"]);
    const [entry] = await historyOf(shop);
    expect(entry).toMatchObject({ deed: "retry", person: "mira", door: "comment", reason: null });
    expect(JSON.parse(entry?.details ?? "{}")).toMatchObject({ pull_request: number, sha, role: "write" });
  });

  it("/retry with a name runs that check, also one that passed", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }\n  lint: { run: "true" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    expect(await say(shop, number, "/retry lint")).toMatchObject({ reactions: ["rocket"], answers: [] });
    expect(await attemptsOf(shop)).toEqual(["test 1", "lint 1", "lint 2"]);
    expect(await say(shop, number, "/retry")).toMatchObject({
      reactions: ["confused"],
      answers: [expect.stringContaining("Nothing to run again: every check of")],
    });
    expect(await say(shop, number, "/retry @everyone`")).toMatchObject({
      reactions: ["confused"],
      answers: [expect.stringContaining("`/retry @everyone`: ")],
    });
    expect((await say(shop, number, "/retry nonsense")).answers[0]).toContain("it has test, lint");
  });

  it("/cancel stops what is under way, and a second one says that nothing is", async () => {
    const shop = await journey.repository(checks(`  test: { run: "${held}" }`));
    const { sha, number } = await propose(shop);
    await heldCommand(journey.folder);
    expect(await say(shop, number, "/cancel")).toMatchObject({ reactions: ["rocket"], answers: [] });
    expect((await statusBecomes(shop, sha, "signalbox/test", "error")).description).toBe("Cancelled by mira");
    expect(await say(shop, number, "/cancel")).toMatchObject({
      reactions: ["confused"],
      answers: [expect.stringContaining("Nothing of this pull request is under way")],
    });
    expect(await historyOf(shop)).toHaveLength(1);
  });

  it("/cancel stops the deployments of a merged one too", async () => {
    const shop = await journey.repository({
      ".github/signalbox.yml": `
checks: { test: { run: "${held}" } }
environments: { staging: { trigger: merge, target: directory, with: { path: staging } } }
`,
    });
    const { sha, number } = await propose(shop);
    await heldCommand(journey.folder);
    const merged = await shop.merge(number, { method: "squash" });
    await deploymentBecomes(shop, "staging", "queued", merged);
    expect(await say(shop, number, "/cancel", "jonas")).toMatchObject({ reactions: ["rocket"] });
    await deploymentBecomes(shop, "staging", "inactive", merged);
    expect((await statusBecomes(shop, sha, "signalbox/test", "error")).description).toBe("Cancelled by jonas");
  });

  it("/help says what there is", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { number } = await propose(shop);
    const { reactions, answers } = await say(shop, number, "/help");
    expect(reactions).toEqual(["rocket"]);
    expect(answers).toEqual([expect.stringMatching(/`\/approve <sha>`.*`\/retry`.*`\/cancel`/s)]);
  });

  it("is told what cannot be done, and how to write what was mistyped", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha, number } = await propose(shop);
    const { reactions, answers } = await say(
      shop,
      number,
      `/deploy staging\n/approve\n/approve staging ${sha}\n/approve ${sha.slice(0, 7)}`,
    );
    expect(reactions).toEqual(["confused"]);
    expect(answers[0]?.split("\n\n").slice(0, -1)).toEqual([
      '`/deploy staging`: the default branch\'s file has no environment "staging"',
      "`/approve`: It is written so: `/approve <sha>` or `/approve <environment> <sha>`, with at least 7 digits of the SHA",
      expect.stringMatching(/^`\/approve staging [0-9a-f]{7}`: .*staging/),
      `\`/approve ${sha.slice(0, 7)}\`: Only commits of forks need an approval; the checks of this pull request run by themselves`,
    ]);
  });

  it("of somebody without write permission gets a thumbs-down and nothing else, three times in ten minutes at most", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    for (const body of ["/retry", "/help", "/cancel"])
      expect(await say(shop, number, body, "octocat")).toMatchObject({ reactions: ["-1"], answers: [] });
    await calm(journey);
    const requests = journey.github.requests.length;
    const fourth = await shop.comment({ by: "octocat", number, body: "/retry" });
    await calm(journey);
    expect(journey.github.requests).toHaveLength(requests);
    expect(shop.comments(number).find(({ id }) => id === fourth)?.reactions).toEqual([]);
    expect(await attemptsOf(shop)).toEqual(["test 1"]);
    expect(await historyOf(shop)).toEqual([]);
    expect(await say(shop, number, "/retry")).toMatchObject({ reactions: ["rocket"] });
  });

  it("that is edited into a command commands nothing", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    const id = await shop.comment({ by: "mira", number, body: "Hm." });
    await calm(journey);
    const answer = await fetch(`${journey.github.url}/api/v3/repos/${shop.fullName}/issues/comments/${id}`, {
      method: "PATCH",
      headers: { authorization: `token ${journey.github.person("mira").token}`, "content-type": "application/json" },
      body: JSON.stringify({ body: "/retry" }),
    });
    expect(answer.status).toBe(200);
    await calm(journey);
    expect(await attemptsOf(shop)).toEqual(["test 1"]);
  });

  it("of a bot commands nothing", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    await calm(journey);
    const requests = journey.github.requests.length;
    await shop.comment({ by: "signalbox[bot]", number, body: "/retry" });
    await calm(journey);
    expect(journey.github.requests).toHaveLength(requests);
    expect(await attemptsOf(shop)).toEqual(["test 1"]);
  });

  it("on an issue commands nothing", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    const id = await shop.comment({ by: "mira", number, body: "Hm." });
    await calm(journey);
    const { payload } = payloadOf(id);
    const { pull_request: _, ...issue } = payload.issue;
    await deliver(journey, "issue_comment", { ...payload, issue, comment: { ...payload.comment, body: "/retry" } });
    await calm(journey);
    expect(await attemptsOf(shop)).toEqual(["test 1"]);
  });

  it("that comes more than ten minutes late is answered, not obeyed", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    const id = await shop.comment({ by: "mira", number, body: "Hm." });
    await calm(journey);
    const { payload } = payloadOf(id);
    const comment = { ...payload.comment, body: "/retry", created_at: new Date(Date.now() - 11 * 60_000).toISOString() };
    await deliver(journey, "issue_comment", { ...payload, comment });
    expect(await replyTo(shop, number, id)).toMatchObject({
      reactions: ["confused"],
      answers: [expect.stringContaining("Expired")],
    });
    expect(await attemptsOf(shop)).toEqual(["test 1"]);
  });

  it("is obeyed once, however often it is delivered", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    const { id } = await say(shop, number, "/retry\n/help");
    const requests = journey.github.requests.length;
    await journey.github.redeliver(payloadOf(id).guid);
    await calm(journey);
    expect(journey.github.requests).toHaveLength(requests);
    expect(await attemptsOf(shop)).toEqual(["test 1", "test 2"]);
    expect(await historyOf(shop)).toHaveLength(1);
  });

  it("is obeyed and answered once when GitHub takes the answer and does not say so", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    await calm(journey);
    journey.github.fault({ method: "POST", path: /\/issues\/\d+\/comments$/, answer: "cut after" });
    const id = await shop.comment({ by: "mira", number, body: "/retry\n/help" });
    await until("it counts as answered", async () => (await answeredAt(id)) !== null);
    expect(shop.comments(number).filter(({ author }) => author.type === "Bot")).toHaveLength(1);
    expect(await attemptsOf(shop)).toEqual(["test 1", "test 2"]);
  });

  it("is obeyed when GitHub does not take the answer", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    await calm(journey);
    journey.github.fault({ method: "POST", path: /\/reactions$/, answer: { status: 403, body: { message: "Locked" } } });
    const id = await shop.comment({ by: "mira", number, body: "/retry" });
    await until("it counts as answered", async () => (await answeredAt(id)) !== null);
    await calm(journey);
    expect(await attemptsOf(shop)).toEqual(["test 1", "test 2"]);
    expect(shop.comments(number).find((comment) => comment.id === id)?.reactions).toEqual([]);
  });

  it.each([11, 1_000])("with %i commands is obeyed in none of them, and costs no more than one", async (count) => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    await calm(journey);
    const requests = journey.github.requests.length;
    expect(await say(shop, number, "/retry\n/deploy live\n".repeat(count).split("\n").slice(0, count).join("\n"))).toMatchObject({
      reactions: ["confused"],
      answers: [expect.stringContaining(`${count} commands are too many`)],
    });
    expect(await attemptsOf(shop)).toEqual(["test 1"]);
    // The role, the pull request, the reaction and the answer.
    expect(journey.github.requests.length - requests).toBeLessThanOrEqual(4);
  });

  it("of 60 KB is obeyed like any other", async () => {
    const shop = await journey.repository(checks(`  test: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "failure");
    const body = `${"/nobody knows this one `<!-- -->` > ".repeat(1_700)}\n\n/retry`;
    expect(body.length).toBeGreaterThan(60_000);
    expect((await say(shop, number, body)).reactions).toEqual(["rocket"]);
    await until("it ran again", async () => (await attemptsOf(shop)).join() === "test 1,test 2");
  });

  it("without a command costs no request, however long it is", async () => {
    const shop = await journey.repository(checks(`  test: { run: "true" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    const requests = journey.github.requests.length;
    await shop.comment({ by: "mira", number, body: "> /retry\n\n".repeat(6_000) });
    await calm(journey);
    expect(journey.github.requests).toHaveLength(requests);
  });

  it("/retry leaves a check alone that is under way", async () => {
    const shop = await journey.repository(checks(`  test: { run: "${held}" }\n  lint: { run: "false" }`));
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox/lint", "failure");
    const id = await shop.comment({ by: "mira", number, body: "/retry test" });
    const answer = await until("it is answered", () => shop.comments(number).find(({ body }) => body.includes(`answers ${id} `)));
    expect(answer.body).toContain("is under way already");
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox/test", "success");
  });
});
