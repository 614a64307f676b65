import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { headMoved } from "../deeds/heads.ts";
import { atLeast, roleOf } from "../deeds/people.ts";
import { actor, allows, type Caller, callerFrom, installationSees } from "../http/access.ts";
import { Refusal } from "../http/answers.ts";
import { decoded } from "../http/router.ts";
import { fullName, type RepositoryState } from "../repository-state.ts";
import { findRepository, type World } from "../world.ts";
import { NOTHING, readHeads } from "./commits.ts";
import { gitEnvironment } from "./git.ts";

/** Answers git's smart HTTP protocol with `git http-backend`; resolves with false for any other request. A push moves heads with all that follows. */
export async function serveGit(world: World, url: URL, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const [, owner = "", name = "", path = ""] =
    /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(url.pathname) ?? [];
  if (path === "") return false;
  const service = path === "info/refs" ? url.searchParams.get("service") : path;
  try {
    const before = world.moved.get(`${decoded(owner)}/${decoded(name)}`.toLowerCase());
    const repository = findRepository(world, decoded(owner), decoded(name)) ?? before;
    if (repository !== undefined && repository === before && path === "info/refs") {
      // https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository
      response.writeHead(301, { Location: `${world.origin}/${fullName(repository)}.git/${path}${url.search}` }).end();
      return true;
    }
    const caller = callerFrom(world, request.headers.authorization);
    const pushing = service === "git-receive-pack";
    const allowed = requireGit(caller, repository, pushing ? "write" : "read");
    if (pushing && path === service)
      await receive(world, allowed, caller, () => runBackend(world, allowed, path, url, request, response));
    else await runBackend(world, allowed, path, url, request, response);
    response.end(); // only now: when a push has returned, its events are on their way
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    const { status } = problem.answer;
    response.writeHead(status, {
      "Content-Type": "text/plain",
      ...(status === 401 ? { "WWW-Authenticate": 'Basic realm="GitHub"' } : {}),
    });
    response.end(`${problem.message}\n`);
  }
  return true;
}

/** Looks at the branches before and after: what differs was pushed. */
function receive(world: World, repository: RepositoryState, caller: Caller, push: () => Promise<void>): Promise<void> {
  return repository.inOrder(async () => {
    const before = await readHeads(repository.git);
    await push();
    repository.git.changed();
    const after = await readHeads(repository.git);
    for (const branch of new Set([...before.keys(), ...after.keys()])) {
      const move = { repository, branch, before: before.get(branch) ?? NOTHING, after: after.get(branch) ?? NOTHING };
      await headMoved(world, { ...move, by: actor(world, caller) });
    }
  });
}

/** The token is the password: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation#http-based-git-access-by-an-installation */
function requireGit(caller: Caller, repository: RepositoryState | undefined, level: "read" | "write"): RepositoryState {
  if (caller.kind === "nobody" && (!repository || repository.private || level === "write"))
    throw new Refusal(401, "Authentication required.");
  if (!repository || !sees(caller, repository)) throw new Refusal(404, "Repository not found.");
  if (!mayUse(caller, repository, level)) throw new Refusal(403, "Write access to repository not granted.");
  return repository;
}

function sees(caller: Caller, repository: RepositoryState): boolean {
  switch (caller.kind) {
    case "nobody":
      return !repository.private;
    case "app":
      return false;
    case "installation":
      return installationSees(caller, repository);
    case "person":
    case "signed in":
      return roleOf(repository, caller.account) !== null;
  }
}

function mayUse(caller: Caller, repository: RepositoryState, level: "read" | "write"): boolean {
  switch (caller.kind) {
    case "nobody":
    case "app":
      return level === "read";
    case "installation":
      return allows(caller.permissions, `contents:${level}`);
    case "person":
    case "signed in":
      return atLeast(roleOf(repository, caller.account), level);
  }
}

/** Runs the CGI program to its end: https://git-scm.com/docs/git-http-backend */
function runBackend(
  world: World,
  repository: RepositoryState,
  path: string,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { headers } = request;
  const child = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      ...gitEnvironment(),
      GIT_PROJECT_ROOT: world.folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: `/${repository.id}.git/${path}`,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: headers["content-type"] ?? "",
      REMOTE_USER: "git",
      REMOTE_ADDR: "127.0.0.1",
      ...(headers["content-length"] ? { CONTENT_LENGTH: headers["content-length"] } : {}),
      ...(headers["content-encoding"] ? { HTTP_CONTENT_ENCODING: headers["content-encoding"] } : {}),
      ...(headers["git-protocol"] ? { GIT_PROTOCOL: String(headers["git-protocol"]) } : {}),
    },
  });
  child.stdin.on("error", () => {}); // it may answer before it has read everything
  request.pipe(child.stdin);
  request.on("aborted", () => child.kill());
  let head = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const lines = head.subarray(0, end).toString().split("\r\n");
    const fields = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
    );
    const { Status: status = "200", ...rest } = fields;
    response.writeHead(Number.parseInt(status, 10), rest);
    response.write(head.subarray(end + 4));
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => {
      if (!response.headersSent) response.writeHead(500);
      resolve();
    });
  });
}
