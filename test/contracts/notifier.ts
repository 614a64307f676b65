import { afterEach, describe, expect, it } from "@jest/globals";
import { notifiers } from "../../src/notifying/index.ts";
import type { News } from "../../src/notifying/news.ts";
import { post } from "../../src/notifying/post.ts";
import { type Fetch, guardedFetch } from "../../src/outbound/fetch.ts";
import type { ChatServer } from "../notifying/chat-servers.ts";

const news: News = {
  events: ["deployed"],
  alarm: false,
  mood: "good",
  headline: "Deployed to production",
  sentence: "Passed in 40 s",
  repository: "acme/shop",
  sha: "4be07d1c0ffee00000000000000000000000beef",
  title: "Autumn prices",
  person: "mira",
  pullRequest: 12,
  environment: "production",
  page: "https://ci.example.com/acme/shop/runs/7",
  site: "https://shop.example.com/",
};

/** What every chat must do with news, held against a server that behaves as the service documents. */
export function notifierContract(name: string, start: () => Promise<ChatServer>): void {
  describe(`the chat ${name}`, () => {
    const opened: ChatServer[] = [];
    afterEach(async () => {
      for (const server of opened.splice(0)) await server.close();
    });

    async function open(): Promise<ChatServer> {
      const server = await start();
      opened.push(server);
      return server;
    }

    function tell(server: Pick<ChatServer, "webhook" | "key">, what: News = news, shown: string | null = null, patience = 5_000) {
      const notifier = notifiers.get(name);
      if (notifier === undefined) throw new Error(`nobody knows ${name}`);
      const webhook = { url: server.webhook, key: server.key, subject: "run 7", now: new Date() };
      return post(onLoopback, notifier, webhook, what, shown, patience);
    }

    it("shows what happened, who did it, and links that lead there", async () => {
      const server = await open();
      expect((await tell(server)).kind).toBe("shown");
      const [text = ""] = server.messages();
      for (const part of ["acme/shop", "Deployed to production", "Passed in 40 s", "Autumn prices"]) expect(text).toContain(part);
      expect(server.links()).toEqual(["https://ci.example.com/acme/shop/runs/7", "https://shop.example.com/"]);
    });

    it("changes its message where the service allows it, and says so", async () => {
      const server = await open();
      const first = await tell(server, { ...news, headline: "Deploying to production", mood: "busy", site: null });
      const shown = first.kind === "shown" ? first.shown : null;
      expect(shown !== null).toBe(notifiers.get(name)?.changes);
      await tell(server, news, shown);
      expect(server.messages().length).toBe(shown === null ? 2 : 1);
      expect(server.messages().at(-1)).toContain("Deployed to production");
    });

    it.each([
      "<!channel> <@U123> <https://evil.example|Sign in>",
      "@everyone @here <@&1> [Sign in](https://evil.example) **bold** `code` ||hidden||",
      '"}],"text":"<!channel>" \\" &lt;!here&gt; <at>everyone</at>',
      "*bold* _italic_ ~gone~ `code` # headline > quote",
    ])("shows hostile text as text: %j", async (hostile) => {
      const server = await open();
      expect((await tell(server, { ...news, title: hostile, sentence: hostile, headline: hostile })).kind).toBe("shown");
      const [text = ""] = server.messages();
      expect(text.split(hostile).length - 1).toBeGreaterThanOrEqual(2);
      expect(text).not.toContain("BOLD");
      expect(server.pings()).toBe(0);
      expect(server.links()).toEqual(["https://ci.example.com/acme/shop/runs/7", "https://shop.example.com/"]);
    });

    it("lets no address of a site break out of its link", async () => {
      const server = await open();
      await tell(server, { ...news, site: "https://shop.example.com/|x>(y)[z](https://evil.example/)" });
      expect(server.pings()).toBe(0);
      expect(server.links().map((link) => new URL(link).host)).toEqual(["ci.example.com", "shop.example.com"]);
    });

    it("keeps to the service's sizes, however long the texts are", async () => {
      const server = await open();
      const long = "&*_~`".repeat(12_000);
      const answer = await tell(server, { ...news, title: long, sentence: long, headline: long, person: long.slice(0, 100) });
      expect(answer.kind).toBe("shown");
    });

    it.each(["cut", "silent"] as const)("tries again when the answer is %s", async (does) => {
      const server = await open();
      server.fault(/./, does);
      expect((await tell(server, news, null, 300)).kind).toBe("later");
    });

    it("waits as long as a limit asks for", async () => {
      const server = await open();
      server.fault(/./, { status: 429, headers: { "retry-after": "7" }, body: "rate_limited" });
      expect(await tell(server)).toMatchObject({ kind: "later", after: 7_000 });
      server.fault(/./, { status: 429, body: { message: "You are being rate limited.", retry_after: 0.652 } });
      expect(await tell(server)).toMatchObject({ kind: "later", after: 652 });
      server.fault(/./, { status: 503 });
      expect(await tell(server)).toMatchObject({ kind: "later", after: null });
    });

    it("gives up on a webhook that was revoked", async () => {
      const server = await open();
      server.revoke();
      expect(await tell(server)).toMatchObject({ kind: "broken", why: expect.stringContaining("the webhook was revoked") });
    });

    it("follows no redirect, and says no part of the address, which is a secret", async () => {
      const server = await open();
      server.fault(/./, { status: 302, headers: { location: "https://evil.example/" }, body: server.webhook });
      const answer = await tell(server);
      expect(answer.kind).toBe("broken");
      expect(JSON.stringify(answer)).not.toContain(new URL(server.webhook).pathname);
    });

    it.each([
      "not an address",
      "file:///etc/passwd",
      "http://169.254.169.254/latest/meta-data/",
      "http://[::ffff:127.0.0.1]:1/x",
    ])("refuses the address %s", async (address) => {
      expect((await tell({ webhook: address, key: "k" })).kind).toBe("broken");
    });
  });
}

const onLoopback: Fetch = (url, init = {}) =>
  guardedFetch(url, init, { allow: url.includes("::ffff") ? [] : [{ host: "127.0.0.1", port: null }] });
