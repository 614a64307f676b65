import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { serveGit } from "../git/smart-http.ts";
import { pageOf } from "../pages/layout.ts";
import { fullName } from "../repository-state.ts";
import type { World } from "../world.ts";
import { callerFrom } from "./access.ts";
import { type Answer, DOCUMENTATION, notFound, Refusal } from "./answers.ts";
import { type Asked, asked } from "./asked.ts";
import { cut, type Faults } from "./faults.ts";
import { createRateLimit, type RateLimit } from "./rate-limit.ts";
import { type Call, match, type Route } from "./router.ts";

/** One request to the API, for tests to count and to look at. */
export interface ApiRequest {
  readonly method: string;
  /** Below `/api/v3`, with the query. */
  readonly path: string;
  /** What was answered; 0 when the connection was cut or hung. */
  readonly status: number;
  readonly at: Date;
  readonly body: string;
}

interface Host {
  /** Asked for with each request: the world needs the port, which only the server knows. */
  readonly world: () => World;
  readonly routes: { readonly api: readonly Route[]; readonly web: readonly Route[] };
  readonly faults: Faults;
  readonly requests: ApiRequest[];
}

const PREFIX = "/api/v3";

/** Serves the API, the pages and git on one port. Every API request ends in `requests`. */
export function createGitHubServer(host: Host): Server {
  const limit = createRateLimit();
  // Node's own five seconds end while a busy machine sends the next request.
  return createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    serve(host, limit, request, response).catch((problem) => {
      // A mistake of ours: shown whole, for nobody but developers ever sees this server.
      if (!response.headersSent)
        send(response, { status: 500, body: { message: String(Error.isError(problem) ? problem.stack : problem) } });
      else cut(response);
    });
  });
}

type Request = Omit<Call, "caller" | "parameters">;

async function serve(host: Host, limit: RateLimit, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const world = host.world();
  const url = new URL(world.origin + (request.url?.startsWith("/") ? request.url : "/"));
  if (await serveGit(world, url, request, response)) return;
  const call: Request = { world, method: request.method ?? "GET", url, headers: request.headers, body: await readBody(request) };
  if (url.pathname.startsWith(`${PREFIX}/`)) await serveApi(host, limit, call, response);
  else
    send(
      response,
      await forPeople(await settle(() => answerTo(call, host.routes.web, url.pathname, () => ({ kind: "nobody" })))),
    );
}

async function serveApi(
  { routes, faults, requests }: Host,
  limit: RateLimit,
  call: Request,
  response: ServerResponse,
): Promise<void> {
  const { world, method, url, headers, body } = call;
  const below = url.pathname.slice(PREFIX.length);
  const path = below + url.search;
  if (asked.hasSubscribers) asked.publish({ method, path, body: body.toString() } satisfies Asked);
  const fault = faults.take(method, path);
  const note = (status: number) => requests.push({ method, path, status, at: new Date(), body: body.toString() });
  if (fault === "hang" || fault === "cut") {
    note(0);
    if (fault === "cut") cut(response);
    return;
  }
  const common = {
    "X-GitHub-Request-Id": randomUUID(),
    "X-GitHub-Media-Type": "github.v3; format=json",
    Date: world.clock.now().toUTCString(),
    ...limit(headers.authorization ?? "", world.clock.now()),
  };
  if (fault !== null && typeof fault === "object" && "status" in fault) {
    note(fault.status);
    send(response, {
      status: fault.status,
      body: fault.body ?? { message: "Refused on demand" },
      headers: { ...common, ...fault.headers },
    });
    return;
  }
  if (fault !== null && typeof fault === "object") await new Promise((resolve) => setTimeout(resolve, fault.delay));
  const answer = await settle(() => answerTo(call, routes.api, below, () => callerFrom(world, headers.authorization)));
  note(fault === "cut after" ? 0 : answer.status);
  if (fault === "cut after") cut(response);
  else send(response, conditional({ ...answer, headers: { ...common, ...answer.headers } }, call));
}

async function answerTo(call: Request, routes: readonly Route[], path: string, caller: () => Call["caller"]): Promise<Answer> {
  const who = caller();
  const moved = movedFrom(call, path);
  if (moved !== null) return moved;
  const found = match(routes, call.method, byName(call.world, path));
  if (!found) throw notFound();
  return found.handler({ ...call, caller: who, parameters: found.parameters });
}

/** What asks for a name that a repository had before is sent on by its id: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects */
function movedFrom({ world, method, url }: Request, path: string): Answer | null {
  const [, owner, name, rest = ""] = /^\/repos\/([^/]+)\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  const fullName = `${owner}/${name}`.toLowerCase();
  const repository = world.repositories.has(fullName) ? undefined : world.moved.get(fullName);
  if (repository === undefined) return null;
  const address = `${world.api}/repositories/${repository.id}${rest}${url.search}`;
  return {
    status: method === "GET" ? 301 : 307,
    headers: { Location: address },
    body: {
      message: method === "GET" ? "Moved Permanently" : "Temporary Redirect",
      url: address,
      documentation_url: DOCUMENTATION,
    },
  };
}

/** GitHub knows each repository by its id too. */
function byName(world: World, path: string): string {
  const [, id, rest = ""] = /^\/repositories\/(\d+)(\/.*)?$/.exec(path) ?? [];
  const repository = [...world.repositories.values()].find((one) => one.id === Number(id));
  return repository === undefined ? path : `/repos/${fullName(repository)}${rest}`;
}

async function settle(deed: () => Promise<Answer>): Promise<Answer> {
  try {
    return await deed();
  } catch (problem) {
    if (problem instanceof Refusal) return problem.answer;
    throw problem;
  }
}

/** A refusal as a page. */
async function forPeople(answer: Answer): Promise<Answer> {
  if (typeof answer.body !== "object" || !("message" in answer.body)) return answer;
  return pageOf("Refused", `${answer.status}: ${answer.body.message}`, answer.status);
}

/** https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate */
function conditional(answer: Answer, { method, headers }: Request): Answer {
  if (method !== "GET" || answer.status !== 200) return answer;
  const etag = `"${createHash("sha256")
    .update(Buffer.isBuffer(answer.body) ? answer.body : JSON.stringify(answer.body))
    .digest("hex")}"`;
  const more = { ...answer.headers, ETag: etag };
  return headers["if-none-match"]?.replace("W/", "") === etag ? { status: 304, headers: more } : { ...answer, headers: more };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const type = typeof body === "string" ? "text/html; charset=utf-8" : "application/json; charset=utf-8";
  const bytes =
    body === undefined
      ? Buffer.alloc(0)
      : Buffer.isBuffer(body)
        ? body
        : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  response.writeHead(status, { "Content-Type": type, "Content-Length": bytes.length, ...headers });
  response.end(bytes);
}
