import { createHmac } from "node:crypto";
import { type Answer, type Asked, type StandIn, startStandIn } from "../runners/stand-in.ts";

/** A chat service on loopback that holds us to what its documentation says, and shows what people would read there. */
export interface ChatServer extends StandIn {
  /** What its secret holds. */
  readonly webhook: string;
  /** What signs; only for the signed webhook. */
  readonly key: string | null;
  /** The messages in the channel as people read them now, one text each. */
  messages(): readonly string[];
  /** Addresses that people can follow from the last message. */
  links(): readonly string[];
  /** Mentions that rang at somebody's. */
  pings(): number;
  /** Somebody deletes the webhook. */
  revoke(): void;
  /** Somebody deletes all messages. */
  clear(): void;
}

interface Posted {
  readonly id: string;
  text: string;
  links: readonly string[];
  pings: number;
}

type Channel = Map<string, Posted>;

async function open(
  path: string,
  key: string | null,
  take: (asked: Asked, channel: Channel) => Answer,
  gone: Answer,
): Promise<ChatServer> {
  const channel: Channel = new Map();
  let revoked = false;
  const server = await startStandIn((asked) => {
    if (revoked || !asked.path.startsWith(path)) return gone;
    if (asked.headers["content-type"] !== "application/json") return { status: 400, body: "invalid_payload" };
    return take(asked, channel);
  });
  return {
    ...server,
    webhook: `${server.url}${path}`,
    key,
    messages: () => [...channel.values()].map(({ text }) => text),
    links: () => [...channel.values()].at(-1)?.links ?? [],
    pings: () => [...channel.values()].reduce((sum, { pings }) => sum + pings, 0),
    revoke: () => {
      revoked = true;
    },
    clear: () => channel.clear(),
  };
}

function put(channel: Channel, text: string, links: readonly string[], pings: number, id = String(1_000 + channel.size)): string {
  channel.set(id, { id, text, links, pings });
  return id;
}

// biome-ignore lint/suspicious/noExplicitAny: what a stranger sends may be anything; each field is checked below.
type Sent = any;

/** https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/messaging/formatting-message-text */
export function startSlack(): Promise<ChatServer> {
  return open(
    "/services/T0/B0/secret",
    null,
    (asked, channel) => {
      const { text, blocks }: Sent = JSON.parse(asked.body);
      const fits =
        typeof text === "string" &&
        text.length <= 4_000 &&
        Array.isArray(blocks) &&
        blocks.length <= 50 &&
        blocks.every((block: Sent) =>
          block.type === "header"
            ? block.text.type === "plain_text" && block.text.text.length <= 150
            : block.type === "section" && block.text.text.length >= 1 && block.text.text.length <= 3_000,
        );
      if (!fits) return { status: 400, body: "invalid_blocks" };
      const marked = blocks.map((block: Sent) => (block.text.type === "mrkdwn" ? block.text.text : "")).join("\n");
      const pings = [...`${marked}\n${text}`.matchAll(/<[!@#][^>]*>/g)].length;
      const links = [...marked.matchAll(/<(https?:[^|>]*)\|[^>]*>/g)].map(([, link]) => String(link));
      const shown = blocks
        .map((block: Sent) => (block.text.type === "plain_text" ? block.text.text : readSlack(block.text.text)))
        .join("\n");
      put(channel, shown, links, pings);
      return { body: "ok", headers: { "content-type": "text/html" } };
    },
    { status: 404, body: "no_service" },
  );
}

function readSlack(text: string): string {
  return text
    .replace(/<https?:[^|>]*\|([^>]*)>/g, "$1")
    .replaceAll("\u200b", "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** https://docs.discord.com/developers/resources/webhook and https://docs.discord.com/developers/resources/message#embed-object-embed-limits */
export function startDiscord(): Promise<ChatServer> {
  const path = "/api/webhooks/1/secret";
  return open(
    path,
    null,
    (asked, channel) => {
      const { embeds, allowed_mentions: allowed, content = "" }: Sent = JSON.parse(asked.body);
      const [embed, ...others] = embeds;
      const fits =
        others.length < 10 && content.length <= 2_000 && embed.title.length <= 256 && embed.description.length <= 4_096;
      if (!fits) return { status: 400, body: { code: 50035, message: "Invalid Form Body" } };
      const mayPing = !(Array.isArray(allowed?.parse) && allowed.parse.length === 0);
      const pings = mayPing ? [...content.matchAll(/@everyone|@here|<@/g)].length : 0;
      const links = [
        embed.url,
        ...[...embed.description.matchAll(/(?<!\\)\[[^\]]*\]\((https?:[^)]*)\)/g)].map(([, link]) => link),
      ];
      const text = `${readMarkdown(embed.title)}\n${readMarkdown(embed.description)}`;
      const message = /^\/messages\/(\d+)$/.exec(asked.path.slice(path.length))?.[1];
      if (asked.method === "PATCH") {
        if (message === undefined || !channel.has(message))
          return { status: 404, body: { message: "Unknown Message", code: 10008 } };
        put(channel, text, links, pings, message);
        return { body: { id: message } };
      }
      const id = put(channel, text, links, pings);
      return asked.query.get("wait") === "true" ? { body: { id } } : { status: 204 };
    },
    { status: 404, body: { message: "Unknown Webhook", code: 10015 } },
  );
}

/** Link texts stay, escapes go. What is left of a mark that was not escaped is shown as `BOLD`. */
function readMarkdown(text: string): string {
  return text
    .replace(/(?<!\\)\[([^\]]*)\]\(https?:[^)]*\)/g, "$1")
    .replace(/(?<!\\)[*_~`|]+/g, "BOLD")
    .replace(/\\([\\*_~`|<>[\]()#:@-])/g, "$1");
}

/** https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using and https://adaptivecards.io/explorer/AdaptiveCard.html */
export function startTeams(): Promise<ChatServer> {
  return open(
    "/workflows/secret/triggers/manual/paths/invoke",
    null,
    (asked, channel) => {
      if (Buffer.byteLength(asked.body) > 28_000) return { status: 413 };
      const { type, attachments }: Sent = JSON.parse(asked.body);
      const card = attachments?.[0]?.content;
      const fits =
        type === "message" &&
        attachments[0].contentType === "application/vnd.microsoft.card.adaptive" &&
        card.type === "AdaptiveCard" &&
        card.version === "1.4" &&
        card.actions.every((action: Sent) => action.type === "Action.OpenUrl" && URL.canParse(action.url));
      if (!fits) return { status: 400 };
      const runs = card.body.map((block: Sent) => block.inlines.map((run: Sent) => run.text).join(""));
      const pings = card.msteams?.entities?.length ?? 0;
      put(
        channel,
        runs.join("\n"),
        card.actions.map((action: Sent) => action.url),
        pings,
      );
      return { status: 202 };
    },
    { status: 404 },
  );
}

/** Somebody's own receiver, which checks the signature as the reference page tells it to and keeps the newest of each subject. */
export function startReceiver(): Promise<ChatServer> {
  const key = "a key of the receiver";
  return open(
    "/hook",
    key,
    (asked, channel) => {
      const time = String(asked.headers["x-signalbox-timestamp"]);
      const expected = `sha256=${createHmac("sha256", key).update(`${time}.${asked.body}`).digest("hex")}`;
      if (asked.headers["x-signalbox-signature"] !== expected) return { status: 401 };
      if (Math.abs(Date.now() / 1_000 - Number(time)) > 300) return { status: 401 };
      const { subject, headline, sentence, title, page, site, repository }: Sent = JSON.parse(asked.body);
      put(channel, `${repository}: ${headline}\n${sentence}\n${title}`, [page, ...(site === null ? [] : [site])], 0, subject);
      return { status: 204 };
    },
    { status: 410 },
  );
}
