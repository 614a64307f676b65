import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { startProxy } from "../../src/doors/webhooks/proxy.ts";
import { until } from "../support/until.ts";

const secret = "9f2c1b7e4a5d6038c1f2";
const body = JSON.stringify({ action: "opened", title: 'Größe <&> "ü" 🚦 \u2028', number: 12, ratio: 0.5, nothing: null });

describe("the webhook proxy", () => {
  let smee: Smee;
  let target: Server;
  let received: { headers: IncomingHttpHeaders; text: string; trusted: boolean }[] = [];
  let logged: { msg: string; level: number; status?: number; guid?: string }[] = [];
  let proxy: { close(): Promise<void> } | undefined;

  beforeEach(async () => {
    received = [];
    logged = [];
    smee = await startSmee();
    target = createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request.setEncoding("utf8")) text += chunk;
      const trusted = request.headers["x-hub-signature-256"] === sign(text);
      received.push({ headers: request.headers, text, trusted });
      response.writeHead(trusted ? 202 : 401).end();
    });
    target.listen(0, "127.0.0.1");
    await once(target, "listening");
  });

  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
    for (const server of [smee.server, target]) {
      server.close();
      server.closeAllConnections();
    }
  });

  it("carries a delivery byte for byte, with what says what it is and nothing else", async () => {
    await connected();
    smee.deliver(body, {
      "x-forwarded-for": "1.2.3.4",
      connection: "upgrade",
      "transfer-encoding": "chunked",
      expect: "100-continue",
    });
    const [delivery] = await until("the delivery arrives", () => received.length > 0 && received);
    expect(delivery).toMatchObject({
      text: body,
      trusted: true,
      headers: {
        "x-github-event": "pull_request",
        "x-github-delivery": "0b3f",
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/1",
      },
    });
    expect(Object.keys(delivery?.headers ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(x-forwarded-for|timestamp|expect)$/)]),
    );
    expect(delivery?.headers.host).toBe(new URL(address(target)).host);
  });

  it.each([
    ["with spaces", JSON.stringify({ action: "opened" }, null, 2), "application/json"],
    ["with escapes", '{"title":"\\u003cb\\u003e"}', "application/json"],
    ["as a form", `payload=${encodeURIComponent(body)}`, "application/x-www-form-urlencoded"],
  ])("says why a body %s is refused: smee.io changes its bytes", async (_, text, type) => {
    await connected();
    smee.deliver(text, { "content-type": type });
    const refused = await until("the refusal is logged", () => logged.find(({ msg }) => msg.includes("was refused")));
    expect(refused).toMatchObject({ level: 40, status: 401, guid: "0b3f", msg: expect.stringContaining("gh webhook forward") });
    expect(received).toMatchObject([{ trusted: false }]);
  });

  it("carries any body from a server that sends it raw", async () => {
    await connected();
    const form = `payload=${encodeURIComponent(body)}`;
    smee.deliver(form, { "content-type": "application/x-www-form-urlencoded" }, { rawbody: form });
    const [delivery] = await until("the delivery arrives", () => received.length > 0 && received);
    expect(delivery).toMatchObject({
      text: form,
      trusted: true,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  });

  it("outlives whatever is sent into the channel", async () => {
    await connected();
    for (const data of ["not JSON", "{}", "null", "[]", '{"body":{},"x-github-event":"a\\nb: c"}', '{"body":1,"rawbody":2}'])
      smee.send(data);
    smee.deliver(body);
    await until("the delivery arrives", () => received.some(({ trusted }) => trusted));
    expect(received.filter(({ trusted }) => trusted)).toHaveLength(1);
  });

  it("outlives a target that is not there", async () => {
    await connected("http://127.0.0.1:1/");
    smee.deliver(body);
    await until("the failure is logged", () => logged.some(({ msg }) => msg.includes("could not be forwarded")));
  });

  it.each(["breaks the connection", "answers 502"])("opens the channel again when it %s", async (mishap) => {
    await connected();
    if (mishap === "answers 502") smee.broken = true;
    smee.hangUp();
    await until("the loss is logged", () => logged.some(({ msg }) => msg.includes("not connected")));
    if (mishap === "answers 502") await until("it has tried again", () => smee.refused > 1);
    smee.broken = false;
    await until("it is back", () => smee.listeners() === 1);
    smee.deliver(body);
    await until("the delivery arrives", () => received.length > 0);
    expect(received).toHaveLength(1);
  });

  it("waits for a channel that is not there at the start", async () => {
    smee.broken = true;
    open();
    await until("it has tried twice", () => smee.refused > 1);
    smee.broken = false;
    await until("it is connected", () => smee.listeners() === 1);
  });

  it("carries nothing after it was closed, and does not come back", async () => {
    await connected();
    await proxy?.close();
    await until("nobody listens", () => smee.listeners() === 0);
    const { opened } = smee;
    smee.deliver(body);
    await proxy?.close();
    expect({ opened: smee.opened, received }).toEqual({ opened, received: [] });
  });

  it("is closed while it waits to try again, too", async () => {
    smee.broken = true;
    open();
    await until("the loss is logged", () => logged.some(({ msg }) => msg.includes("not connected")));
    await proxy?.close();
    smee.broken = false;
    const before = smee.refused + smee.opened;
    // Longer than the pause: what must not happen has no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(smee.refused + smee.opened).toBe(before);
  });

  function open(to = `${address(target)}/api/github/webhooks`): void {
    const log = pino({ level: "trace" }, { write: (line: string) => logged.push(JSON.parse(line)) });
    proxy = startProxy({ source: `${address(smee.server)}/channel`, target: to, log, pause: 20 });
  }

  async function connected(to?: string): Promise<void> {
    open(to);
    await until("it is connected", () => logged.some(({ msg }) => msg === "Webhooks come through the proxy"));
  }
});

interface Smee {
  readonly server: Server;
  broken: boolean;
  readonly refused: number;
  readonly opened: number;
  listeners(): number;
  hangUp(): void;
  send(data: string): void;
  deliver(text: string, headers?: Record<string, string>, more?: Record<string, string>): void;
}

/** Does with a delivery what smee.io does: parses the body, and sends it with the headers of the request. */
async function startSmee(): Promise<Smee> {
  const streams = new Set<ServerResponse>();
  const counts = { refused: 0, opened: 0 };
  const server = createServer((_, response) => {
    if (smee.broken) {
      counts.refused += 1;
      response.writeHead(502).end();
      return;
    }
    counts.opened += 1;
    streams.add(response);
    response.on("close", () => streams.delete(response));
    response.writeHead(200, { "content-type": "text/event-stream" }).write("event: ready\ndata: {}\n\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const smee: Smee = {
    server,
    broken: false,
    get refused() {
      return counts.refused;
    },
    get opened() {
      return counts.opened;
    },
    listeners: () => streams.size,
    hangUp() {
      for (const stream of streams) stream.destroy();
    },
    send(data) {
      for (const stream of streams) stream.write(`id: 1\ndata: ${data}\n\n`);
    },
    deliver(text, headers = {}, more = {}) {
      const isForm = headers["content-type"] === "application/x-www-form-urlencoded";
      const message = {
        host: "smee.io",
        "user-agent": "GitHub-Hookshot/1",
        "content-length": String(Buffer.byteLength(text)),
        "content-type": "application/json",
        "x-github-event": "pull_request",
        "x-github-delivery": "0b3f",
        "x-hub-signature-256": sign(text),
        ...headers,
        body: isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text),
        query: {},
        timestamp: 1,
        ...more,
      };
      smee.send(JSON.stringify(message));
    },
  };
  return smee;
}

function sign(text: string): string {
  return `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
