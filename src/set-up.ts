import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { accessSync, constants, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Logger } from "pino";
import { addToEnvFile } from "./set-up/env-file.ts";
import { donePage, messagePage, type Offer, STYLE, setUpPage } from "./set-up/page.ts";
import { exchangeCode, manifestFor, registrationUrl } from "./set-up/registration.ts";
import { isLoopback } from "./settings/addresses.ts";
import type { Environment } from "./settings/read-values.ts";
import { readSettings } from "./settings.ts";

/** What the set-up page starts from; `folder` holds `app.yml` and gets the `.env`. */
export interface SetUpOptions {
  readonly env: Environment;
  readonly log: Logger;
  readonly folder: string;
}

/**
 * Opens the page that registers the App, at the addresses that Probot's has. Whoever reaches it decides which App the server obeys,
 * so it listens on 127.0.0.1 whatever HOST says, answers only to loopback names, and takes forms only from itself.
 */
export async function startSetUp({ env, log, folder }: SetUpOptions): Promise<{ readonly url: string; close(): Promise<void> }> {
  checkThatItCanBeKept(folder);
  const files = { read: (path: string) => readFileSync(path, "utf8"), folder };
  const channel = await smeeChannel();
  const { ground, setUp } = unregistered(channel === null ? env : { ...env, WEBHOOK_PROXY_URL: channel });
  const state = randomBytes(32).toString("base64url");
  const closing = new AbortController();
  let done = false;

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => {
        log.error({ err: error }, "The set-up failed");
        send(response, 500, messagePage("That did not work", "The log of the server says why."));
      },
    );
  });
  server.listen(ground.port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : ground.port}`;
  log.info({ url }, "No GitHub App yet: open this address on this machine (from another one through ssh -L) to set it up");

  return {
    url,
    async close() {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return { status: 403, body: messagePage("Refused", refusal) };
    // Never from the request's own target, which may name another host.
    const origin = `http://${request.headers.host}`;
    const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
    const route = `${request.method} ${path}`;
    if (route === "GET /" || route === "GET /probot" || route === "GET /probot/import") {
      return { status: 200, body: done ? donePage(null, []) : setUpPage(offer(origin), []) };
    }
    if (route !== "GET /probot/setup" && route !== "POST /probot/import") {
      return { status: 404, body: messagePage("Not found", "Signalbox is not set up yet; there is only the set-up page.") };
    }
    if (done) return { status: 409, body: messagePage("Already set up", "Start Signalbox again to use the App.") };
    const fields = request.method === "POST" ? await readForm(request) : new URLSearchParams(query);
    if (fields === null) return { status: 413, body: messagePage("Too large", "This form is larger than 64 KB.") };
    if (!isSame(fields.get("state") ?? "", state)) {
      return {
        status: 403,
        body: messagePage("Refused", "This did not begin on the set-up page that is open now; begin again there."),
      };
    }
    return request.method === "POST" ? useExisting(fields, origin) : register(fields.get("code") ?? "");
  }

  async function register(code: string): Promise<{ status: number; body: string }> {
    if (code === "") return { status: 400, body: messagePage("No code", "GitHub sent no code; begin again.") };
    const { credentials, installUrl } = await exchangeCode(code, ground, closing.signal);
    const problems = keep(credentials);
    return { status: 200, body: donePage(installUrl.startsWith(`${ground.github.web}/`) ? installUrl : null, problems) };
  }

  async function useExisting(fields: URLSearchParams, origin: string): Promise<{ status: number; body: string }> {
    const credentials = Object.fromEntries(
      IMPORTED.map((name) => [name, (fields.get(name) ?? "").trim().replaceAll("\r\n", "\n")]),
    );
    const read = readSettings({ ...env, ...credentials }, files);
    if (read.kind !== "settings") {
      const problems = read.kind === "problems" ? read.problems : ["Fill in all of the form"];
      return { status: 422, body: setUpPage(offer(origin), problems) };
    }
    return { status: 200, body: donePage(null, keep(credentials)) };
  }

  /** Returns what the next start would refuse. */
  function keep(credentials: Readonly<Record<string, string>>): readonly string[] {
    addToEnvFile(folder, { ...credentials, ...(channel === null ? {} : { WEBHOOK_PROXY_URL: channel }) });
    done = true;
    log.info("The GitHub App is set up: start Signalbox again");
    const read = readSettings({ ...env, ...credentials }, files);
    return read.kind === "problems" ? read.problems : [];
  }

  function offer(origin: string): Offer {
    const manifest = manifestFor(readFileSync(join(folder, "app.yml"), "utf8"), ground, `${origin}/probot/setup`);
    return {
      registrationUrl: registrationUrl(ground, setUp.organization, state),
      manifest: JSON.stringify(manifest),
      state,
      hookUrl: manifest.hook_attributes.url,
      reachable: !isLoopback(new URL(manifest.hook_attributes.url).hostname),
    };
  }

  function unregistered(environment: Environment) {
    const read = readSettings(environment, files);
    if (read.kind !== "unregistered") throw new Error("The set-up page is for a server whose settings are right and name no App");
    return read;
  }

  /** Asks smee.io only where NO_SMEE_SETUP=false says so. */
  async function smeeChannel(): Promise<string | null> {
    const read = unregistered(env);
    if (!read.setUp.smee || read.ground.webhookProxyUrl !== null) return null;
    const response = await fetch("https://smee.io/new", { method: "HEAD", redirect: "manual" });
    const address = response.headers.get("location");
    if (address === null)
      throw new Error(`smee.io answered ${response.status} and made no channel; set WEBHOOK_PROXY_URL yourself`);
    return address;
  }
}

/** What GitHub gives out, it gives out once. */
function checkThatItCanBeKept(folder: string): void {
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Error(
      `There is no GitHub App yet, and the set-up page could not keep the new one's credentials in ${join(folder, ".env")}: set APP_ID, PRIVATE_KEY and WEBHOOK_SECRET where this server gets its settings, or start it once as a user that may write there`,
      { cause: error },
    );
  }
}

const IMPORTED = ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"];

const HEADERS = {
  connection: "close",
  // No form-action: browsers hold it against the redirects after the form too, and GitHub's sign-in may redirect anywhere.
  "content-security-policy": `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'`,
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/** A page elsewhere can name this server by a name of its own (DNS rebinding) or send a form to it: both say so in their headers. */
function refusalOf({ method, headers }: IncomingMessage): string | undefined {
  const host = `http://${headers.host}`;
  if (headers.host === undefined || !URL.canParse(host) || !isLoopback(new URL(host).hostname)) {
    return "The set-up page answers only to localhost and 127.0.0.1.";
  }
  if (method === "GET" || method === "HEAD") return undefined;
  const { origin, "sec-fetch-site": site } = headers;
  const foreign = (origin !== undefined && origin !== new URL(host).origin) || (site !== undefined && site !== "same-origin");
  return foreign ? "This form was sent by another page." : undefined;
}

/** `null` when it is too large; the rest stays unread, and the connection is closed after the answer. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > 65_536) return null;
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, HEADERS).end(body);
}
