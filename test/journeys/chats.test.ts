import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { openSecretKey } from "../../src/secrets/key.ts";
import { setSecret } from "../../src/secrets/store.ts";
import { type ChatServer, startDiscord, startReceiver, startSlack, startTeams } from "../notifying/chat-servers.ts";
import { deploymentBecomes, handled, statusBecomes, useSharedJourney } from "../support/journey.ts";
import { until } from "../support/until.ts";

const path = ".github/signalbox.yml";
const all = "[failure, recovery, waiting, started, deployed, rolled_back]";

/** An answer that goes on for ever, a space at a time, far below any limit of its size. */
async function* drops(): AsyncGenerator<string> {
  for (;;) {
    await delay(50);
    yield " ";
  }
}

describe("a chat", () => {
  const journey = useSharedJourney({ env: { OUTBOUND_ALLOW: "127.0.0.1" } });
  let chats: Readonly<Record<"slack" | "discord" | "teams" | "webhook", ChatServer>>;
  beforeAll(async () => {
    chats = {
      slack: await startSlack(),
      discord: await startDiscord(),
      teams: await startTeams(),
      webhook: await startReceiver(),
    };
  });
  beforeEach(() => {
    for (const chat of Object.values(chats)) {
      chat.mend();
      chat.clear();
    }
  });
  afterAll(async () => {
    for (const chat of Object.values(chats)) await chat.close();
  });

  /** A repository whose default branch names these chats. It deploys each push; a check, where it has one, is green unless the commit has a file "red". */
  async function repositoryWith(
    notify: string,
    {
      environment = "",
      checks = "{}",
      secrets = {},
    }: { environment?: string; checks?: string; secrets?: Readonly<Record<string, string>> } = {},
  ): Promise<Repository> {
    const live = `trigger: push, require_checks: none, target: directory, with: { path: live, from: site }${environment}`;
    const yaml = `checks: ${checks}\nenvironments: { live: { ${live} } }\nnotify: ${notify}\n`;
    const shop = await journey.repository({ [path]: yaml, "site/index.html": "first\n" });
    shop.permit("ana", "write");
    const values = {
      SLACK: chats.slack.webhook,
      DISCORD: chats.discord.webhook,
      TEAMS: chats.teams.webhook,
      HOOK: chats.webhook.webhook,
      KEY: chats.webhook.key ?? "",
      ...secrets,
    };
    const key = openSecretKey(null, journey.folder);
    for (const [name, value] of Object.entries(values))
      await journey.server.database.write((tx) => setSecret(tx, key, { repository: shop.id, environment: null, name }, value));
    return shop;
  }

  const test = '{ test: { run: "test ! -e red" } }';

  async function propose(shop: Repository, text: string, files: Readonly<Record<string, string>> = {}): Promise<number> {
    await shop.commit({ branch: text, from: "main", files: { [text]: "", ...files }, message: text, author: "mira" });
    return shop.openPullRequest({ title: text, head: text, author: "mira" });
  }

  function push(shop: Repository, text: string): Promise<string> {
    return shop.commit({ branch: "main", files: { "site/index.html": `${text}\n` }, message: text, author: "mira" });
  }

  const headlines = (chat: ChatServer) => chat.messages().map((text) => text.split("\n")[0]?.replace(/^.*?: /, ""));
  const reads = (chat: ChatServer, ...expected: readonly string[]) =>
    until(`it reads ${expected.join(", ")}; now ${headlines(chat).join(", ")}`, () => headlines(chat).join() === expected.join());

  it("is told how a deployment goes on, in one message where the service can change it", async () => {
    const shop = await repositoryWith(
      `[{ slack: SLACK, events: ${all} }, { discord: DISCORD }, { teams: TEAMS, events: [deployed] }, { webhook: HOOK, secret: KEY }]`,
      { environment: ", approvals: { count: 1 }, url: https://shop.example.com" },
    );
    const number = await propose(shop, "talk");
    const sha = await push(shop, "autumn");
    await reads(chats.slack, "The deployment to live waits");
    await reads(chats.discord, "The deployment to live waits");
    expect(chats.slack.messages()[0]).toContain(`Waiting for approval: /approve live ${sha.slice(0, 7)}`);
    expect(chats.teams.messages()).toEqual([]);

    await shop.comment({ by: "ana", number, body: `/approve live ${sha}` });
    await deploymentBecomes(shop, "live", "success", sha);
    await reads(chats.discord, "Deployed to live");
    await reads(chats.webhook, "Deployed to live");
    await reads(chats.teams, "Deployed to live");
    expect(headlines(chats.slack).at(-1)).toBe("Deployed to live");
    expect(chats.discord.links()).toEqual([
      expect.stringMatching(new RegExp(`^http://127.0.0.1:3000/${shop.fullName}/runs/\\d+$`)),
      "https://shop.example.com/",
    ]);
  });

  it("is told of a rollback, and of who broke the glass whatever it asked for", async () => {
    const shop = await repositoryWith("[{ slack: SLACK, events: [rolled_back] }]", { environment: ", approvals: { count: 1 }" });
    const number = await propose(shop, "talk");
    for (const text of ["spring", "summer"]) {
      const sha = await push(shop, text);
      await shop.comment({ by: "jonas", number, body: '/deploy live --override "the shop is down"' });
      await deploymentBecomes(shop, "live", "success", sha);
    }
    await until("the broken glass is told", () =>
      chats.slack.messages().some((text) => text.includes("jonas broke the glass: the shop is down")),
    );
    await shop.comment({ by: "mira", number, body: "/rollback live" });
    await until("the rollback is told", () => headlines(chats.slack).includes("Rolled back live"));
  });

  it("is told of red checks, and of the first green after them", async () => {
    const shop = await repositoryWith(
      "[{ slack: SLACK, events: [failure, recovery] }, { discord: DISCORD, events: [recovery] }]",
      { checks: test },
    );
    const number = await propose(shop, "winter", { red: "" });
    await statusBecomes(shop, shop.pullRequest(number).head.sha, "signalbox/test", "failure");
    await reads(chats.slack, "Checks failed on #1");
    expect(chats.slack.messages()[0]).toContain("test: Failed: test ! -e red exited with 1");
    expect(chats.discord.messages()).toEqual([]);
    const head = await shop.commit({ branch: "winter", files: { red: null }, message: "mend", author: "mira" });
    await statusBecomes(shop, head, "signalbox", "success");
    await reads(chats.discord, "Checks are green again on #1");
    await until("slack too", () => headlines(chats.slack).at(-1) === "Checks are green again on #1");
    const later = await shop.commit({ branch: "winter", files: { more: "x" }, message: "more", author: "mira" });
    await statusBecomes(shop, later, "signalbox", "success");
    await handled(journey);
    expect(headlines(chats.discord)).toEqual(["Checks are green again on #1"]);
  });

  it("that is down, never answers, or answers slowly for ever delays nothing, and is told when it is back", async () => {
    const shop = await repositoryWith(
      "[{ slack: SLACK }, { discord: DISCORD }, { teams: TEAMS }, { webhook: HOOK, secret: KEY }]",
    );
    chats.webhook.fault(/./, { pieces: drops() }, 100);
    chats.slack.fault(/./, { status: 503 });
    chats.teams.fault(/./, "silent", 100);
    const sha = await push(shop, "monsoon");
    await deploymentBecomes(shop, "live", "success", sha);
    await reads(chats.discord, "Deployed to live");
    await until("it was said", () => journey.log.some(({ msg }) => msg === "a chat could not be told; trying again"));
    expect(chats.slack.messages()).toEqual([]);
    await endPauses();
    await reads(chats.slack, "Deployed to live");
    for (const [chat, name] of [
      [chats.teams, "teams TEAMS"],
      [chats.webhook, "webhook HOOK KEY"],
    ] as const) {
      expect(chat.messages()).toEqual([]);
      chat.mend();
      await until(`${name} has been given up for now`, () => isPaused(name, shop));
    }
    await endPauses();
    await reads(chats.teams, "Deployed to live");
    await reads(chats.webhook, "Deployed to live");
  });

  it("that was revoked, has no secret or lies within the server is said once, with what to do", async () => {
    const shop = await repositoryWith(
      "[{ slack: GONE }, { discord: MISSING }, { webhook: INSIDE, secret: KEY }, { teams: TEAMS }]",
      {
        secrets: { GONE: `${chats.slack.url}/services/another`, INSIDE: chats.webhook.webhook.replace("127.0.0.1", "127.0.0.2") },
      },
    );
    const before = chats.slack.asked.length;
    for (const text of ["one", "two"]) {
      const sha = await push(shop, text);
      await deploymentBecomes(shop, "live", "success", sha);
    }
    await reads(chats.teams, "Deployed to live", "Deployed to live");
    await handled(journey);
    const said = journey.log
      .filter((line) => line.repository === shop.id && typeof line.chat === "string")
      .map(({ why }) => String(why));
    expect(said.toSorted()).toEqual([
      expect.stringMatching(
        /^127\.0\.0\.2:\d+ is an address of this server itself, or of its cloud; the operator can allow it in OUTBOUND_ALLOW$/,
      ),
      "it answers 404 (no_service): the webhook was revoked, or its address is wrong",
      `the secret MISSING is not set: bin/signalbox secret set ${shop.fullName} MISSING`,
    ]);
    expect(chats.slack.asked.length).toBe(before + 1);
    expect(chats.webhook.messages()).toEqual([]);

    const key = openSecretKey(null, journey.folder);
    const place = { repository: shop.id, environment: null, name: "MISSING" };
    await journey.server.database.write((tx) => setSecret(tx, key, place, chats.discord.webhook));
    const sha = await push(shop, "three");
    await deploymentBecomes(shop, "live", "success", sha);
    await reads(chats.discord, "Deployed to live");
  });

  it("is named by the default branch alone", async () => {
    const shop = await repositoryWith("[{ slack: SLACK }]", { checks: test });
    const yaml = 'checks: { test: { run: "false" } }\nnotify: [{ discord: DISCORD }]\n';
    await shop.commit({ branch: "sly", from: "main", files: { [path]: yaml }, message: "sly", author: "mira" });
    await shop.openPullRequest({ title: "sly <!channel>", head: "sly", author: "mira" });
    await reads(chats.slack, "Checks failed on #1");
    expect(chats.slack.messages()[0]).toContain("sly <!channel>");
    expect(chats.slack.pings()).toBe(0);
    expect(chats.discord.messages()).toEqual([]);
  });

  async function endPauses(): Promise<void> {
    await journey.server.database.write(async (tx) => {
      await tx.db.updateTable("chat").set({ not_before: 0 }).execute();
      tx.ring("chats");
    });
  }

  async function isPaused(chat: string, shop: Repository): Promise<boolean> {
    const row = await journey.server.database.read((db) =>
      db
        .selectFrom("chat")
        .select("not_before")
        .where("chat", "=", chat)
        .where("repository", "=", shop.id)
        .where("held_until", "=", 0)
        .executeTakeFirst(),
    );
    return row !== undefined && row.not_before > 0;
  }
});
