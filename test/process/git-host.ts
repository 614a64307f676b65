import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const environment = {
  PATH: process.env.PATH ?? "",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  ...{ GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@example.com", GIT_COMMITTER_NAME: "A", GIT_COMMITTER_EMAIL: "a@example.com" },
};

/** Runs git as a person would, and returns what it says. */
export async function runGit(folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute("git", args, { cwd: folder, env: environment, maxBuffer: 100_000_000 });
  return stdout.trim();
}

/** A repository on its host, with a working copy to commit in. */
export interface HostedRepository {
  readonly folder: string;
  readonly fileUrl: string;
  /** Commits these files on the branch's present state and pushes it; the text of a file is its content. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
  /** Goes back to an earlier commit and pushes that, as a force push does. */
  reset(sha: string): Promise<void>;
}

/** Makes a bare repository that, as GitHub does, hands out every commit that it still has. */
export async function hostRepository(below: string): Promise<HostedRepository> {
  const folder = join(below, "hosted.git");
  const work = join(below, "work");
  await mkdir(work, { recursive: true });
  await runGit(below, "init", "-q", "--bare", "-b", "main", folder);
  await runGit(folder, "config", "http.uploadpack", "true");
  await runGit(work, "init", "-q", "-b", "main");
  await runGit(work, "config", "core.autocrlf", "false");
  const push = () => runGit(work, "push", "-q", "--force", folder, "main");
  return {
    folder,
    fileUrl: `file://${folder}`,
    async commit(files) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(work, path)), { recursive: true });
        await writeFile(join(work, path), text);
      }
      await runGit(work, "add", "-A");
      await runGit(work, "commit", "-q", "--allow-empty", "-m", "change");
      await push();
      return runGit(work, "rev-parse", "HEAD");
    },
    async reset(sha) {
      await runGit(work, "reset", "-q", "--hard", sha);
      await push();
    },
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Serves the repositories of a folder by smart HTTP to those who know the token, and remembers who came; `also` may answer first. */
export async function serveGit(folder: string, token: string, also: Answer = () => false) {
  const program = join((await execute("git", ["--exec-path"])).stdout.trim(), "git-http-backend");
  const seen: { url: string; authorization: string | undefined; answer: number }[] = [];
  /** Answers everything with this status instead. */
  const fault: { status: number | null } = { status: null };
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    const allowed = authorization === `Basic ${btoa(`x-access-token:${token}`)}`;
    const answer = fault.status ?? (allowed ? 200 : 401);
    seen.push({ url: request.url ?? "", authorization, answer });
    if (fault.status === null && also(request, response)) return;
    if (answer === 200) return backend(program, folder, request, response);
    // Git passes a plain text on to its user.
    const headers = { "content-type": "text/plain", ...(answer === 401 ? { "www-authenticate": "Basic" } : {}) };
    response.writeHead(answer, headers).end(`no, not with Authorization: ${authorization}\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  return { origin, seen, fault, close: () => server.close() };
}

/** CGI, as little of it as git needs. */
function backend(program: string, folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "", "http://host");
  const child = spawn(program, {
    env: {
      ...environment,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
  });
  request.pipe(child.stdin);
  const pieces: Buffer[] = [];
  child.stdout.on("data", (piece) => pieces.push(piece));
  child.on("close", () => {
    const all = Buffer.concat(pieces);
    const end = all.indexOf("\r\n\r\n");
    const headers = Object.fromEntries(
      all
        .subarray(0, end)
        .toString()
        .split("\r\n")
        .map((line) => line.split(": ", 2)),
    );
    const { Status: status = "200", ...others } = headers;
    response.writeHead(Number.parseInt(status, 10), others).end(all.subarray(end + 4));
  });
}
