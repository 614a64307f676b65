import { createHmac, createSign } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { GitHubStandIn } from "../../demo/github/github.ts";
import { requestProblems, responseProblems } from "../support/github-contract.ts";

export interface Response {
  readonly status: number;
  readonly headers: Headers;
  /** JSON read; text where it is none. */
  readonly body: unknown;
}

export type Api = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>;

/** Asks the API, and throws when the answer does not fit GitHub's own description of it. Refusals (4xx) may be provoked by requests that do not fit. */
export function apiOf(github: GitHubStandIn, token?: string): Api {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${github.url}/api/v3${path}`, {
      method,
      headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const answered =
      response.headers.get("content-type")?.startsWith("application/json") && text !== "" ? JSON.parse(text) : text;
    const problems = [
      ...(response.ok ? requestProblems({ method, path, body }) : []),
      ...answerProblems(method, path, response.status, answered),
    ];
    if (problems.length > 0) throw new Error(`${method} ${path} → ${response.status}\n  ${problems.join("\n  ")}`);
    return { status: response.status, headers: response.headers, body: answered };
  };
}

/**
 * Two mistakes of the description itself are passed over. The list of installations asks of each account that it be a person and an enterprise
 * at once (`allOf`); the description of a single one says "or". Addresses of a deployment status must be addresses, but their default is "".
 */
function answerProblems(method: string, path: string, status: number, body: unknown): readonly string[] {
  if (path === "/app/installations" && Array.isArray(body)) {
    return body.flatMap((one) => responseProblems({ method, path: "/repos/acme/shop/installation", status, body: one }));
  }
  const problems = responseProblems({ method, path, status, body });
  if (!/\/deployments\/\d+\/statuses/.test(path)) return problems;
  const statuses = (Array.isArray(body) ? body : [body]).map(fields);
  const empty = (name: string) => statuses.every((one) => one[name] === "" || URL.canParse(String(one[name])));
  return problems.filter(
    (problem) => !ADDRESSES.some((name) => problem.endsWith(`.${name} must match format "uri"`) && empty(name)),
  );
}

const ADDRESSES = ["target_url", "environment_url", "log_url"];

/** A JSON web token as the App makes it; `claims` replaces what it says. */
export function appToken(github: GitHubStandIn, claims: object = {}, privateKey = github.app.privateKey): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "RS256", typ: "JWT" })}.${part({ iss: github.app.id, iat: now - 60, exp: now + 540, ...claims })}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
}

/** A token for the only installation. */
export async function installationToken(github: GitHubStandIn, wish: object = {}): Promise<string> {
  const app = apiOf(github, appToken(github));
  const [installation] = await list(app("GET", "/app/installations"));
  const { body } = await app("POST", `/app/installations/${installation?.id}/access_tokens`, wish);
  return String(fields(body).token);
}

/** What an answer says, by name. */
export function fields(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== "object" || body === null) throw new Error(`no object: ${body}`);
  return { ...body };
}

export async function list(answer: Promise<Response>): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { body } = await answer;
  if (!Array.isArray(body)) throw new Error(`no list: ${JSON.stringify(body)}`);
  return body.map(fields);
}

export interface Received {
  readonly event: string;
  readonly guid: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly signed: boolean;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** `event.action` of everything that came, in order. */
  names(): readonly string[];
  close(): Promise<void>;
}

/** Takes webhooks as an App's server would; answers `status`. */
export async function receiveWebhooks(github: GitHubStandIn, status: () => number = () => 202): Promise<Receiver> {
  const received: Received[] = [];
  // Node's own five seconds end while a busy machine sends the next webhook, which then is lost.
  const server = createServer({ keepAliveTimeout: 65_000 }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks).toString();
    const form = request.headers["content-type"] === "application/x-www-form-urlencoded";
    const expected = `sha256=${createHmac("sha256", github.app.webhookSecret).update(raw).digest("hex")}`;
    received.push({
      event: String(request.headers["x-github-event"]),
      guid: String(request.headers["x-github-delivery"]),
      headers: request.headers,
      raw,
      payload: fields(JSON.parse(form ? (new URLSearchParams(raw).get("payload") ?? "") : raw)),
      signed: request.headers["x-hub-signature-256"] === expected,
    });
    response.writeHead(status()).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/hook`;
  github.webhooksTo(url);
  return {
    url,
    received,
    names: () => received.map(({ event, payload }) => (payload.action === undefined ? event : `${event}.${payload.action}`)),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
