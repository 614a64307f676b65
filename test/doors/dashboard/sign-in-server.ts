import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** As much of GitHub as signing in and asking for a right needs. Who signs in is who `visitor` says; they always agree. */
export interface SignInServer {
  readonly url: string;
  readonly client: { readonly id: string; readonly secret: string };
  visitor: { id: number; login: string };
  /** By the repository's name; who is not named has no right. */
  readonly rights: Record<string, Record<string, "read" | "write" | "maintain" | "admin">>;
  /** Files by the repository's name and their path. */
  readonly files: Record<string, Record<string, string>>;
  /** The commits of each repository's branches, by its name, the newest first. */
  readonly commits: Record<string, readonly { readonly sha: string; readonly title: string; readonly author: string }[]>;
  /** Answers every request with 502. */
  down: boolean;
  /** `GET /api/v3/user` and so on, oldest first. */
  readonly requests: string[];
  close(): Promise<void>;
}

export async function startSignInServer(): Promise<SignInServer> {
  const client = { id: "Iv1.client", secret: "client-secret" };
  const codes = new Map<string, { challenge: string; redirect: string }>();
  const tokens = new Map<string, { id: number; login: string }>();
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    const url = new URL(request.url ?? "/", here.url);
    here.requests.push(`${request.method} ${url.pathname}`);
    if (here.down) answer(502, { message: "Bad gateway" });
    else void handle(request, url, answer);
  });

  type Answer = (status: number, body: unknown, headers?: Record<string, string>) => unknown;

  async function handle(request: IncomingMessage, url: URL, answer: Answer): Promise<unknown> {
    if (url.pathname === "/login/oauth/authorize") return authorize(url, answer);
    if (url.pathname === "/login/oauth/access_token") return exchange(new URLSearchParams(await text(request)), answer);
    if (url.pathname === "/api/v3/user") {
      const person = tokens.get(request.headers.authorization?.replace("Bearer ", "") ?? "");
      return person === undefined ? answer(401, { message: "Bad credentials" }) : answer(200, person);
    }
    if (url.pathname.endsWith("/access_tokens")) {
      return answer(201, { token: randomUUID(), expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    }
    // It has forgotten what it delivered.
    if (url.pathname === "/api/v3/app/hook/deliveries") return answer(200, []);
    const [, owned, path] = /\/repos\/acme\/([^/]+)\/contents\/(.+)$/.exec(decodeURIComponent(url.pathname)) ?? [];
    const file = here.files[owned ?? ""]?.[path ?? ""];
    if (file !== undefined) {
      const content = Buffer.from(file).toString("base64");
      return answer(200, { type: "file", encoding: "base64", content, size: file.length });
    }
    const listed = here.commits[/\/repos\/acme\/([^/]+)\/commits$/.exec(url.pathname)?.[1] ?? ""];
    if (listed !== undefined) return answer(200, listed.map(commitJson));
    const [, repository, login] = /\/repos\/acme\/([^/]+)\/collaborators\/([^/]+)\/permission$/.exec(url.pathname) ?? [];
    if (repository === undefined || login === undefined) return answer(404, { message: "Not Found" });
    const role = here.rights[repository]?.[login];
    if (role === undefined) return answer(404, { message: "Not Found" });
    const permission = role === "maintain" ? "write" : role;
    const user = { ...here.visitor, permissions: { maintain: role === "maintain" || role === "admin" } };
    return answer(200, { permission, role_name: role, user });
  }

  function authorize({ searchParams }: URL, answer: Answer): unknown {
    const redirect = searchParams.get("redirect_uri") ?? "";
    if (searchParams.get("client_id") !== client.id || searchParams.get("code_challenge_method") !== "S256")
      return answer(400, {});
    const code = randomUUID();
    codes.set(code, { challenge: searchParams.get("code_challenge") ?? "", redirect });
    return answer(302, {}, { location: `${redirect}?${new URLSearchParams({ code, state: searchParams.get("state") ?? "" })}` });
  }

  /** GitHub says no with 200, too. */
  function exchange(form: URLSearchParams, answer: Answer): unknown {
    if (form.get("client_id") !== client.id || form.get("client_secret") !== client.secret) {
      return answer(200, { error: "incorrect_client_credentials" });
    }
    const known = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (known?.challenge !== challenge || known.redirect !== form.get("redirect_uri")) {
      return answer(200, { error: "bad_verification_code" });
    }
    const token = `ghu_${randomUUID()}`;
    tokens.set(token, here.visitor);
    return answer(200, { access_token: token, token_type: "bearer", scope: "" });
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const here: SignInServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    client,
    visitor: { id: 583231, login: "mira" },
    rights: { shop: { mira: "read" } },
    files: {},
    commits: {},
    down: false,
    requests: [],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return here;
}

/** https://docs.github.com/en/rest/commits/commits#list-commits */
function commitJson(
  { sha, title, author }: SignInServer["commits"][string][number],
  at: number,
  all: SignInServer["commits"][string],
) {
  const next = all[at + 1];
  const person = { name: author, date: "2026-11-22T11:00:00Z" };
  return {
    sha,
    author: { login: author },
    commit: { message: title, author: person, committer: person },
    parents: next === undefined ? [] : [{ sha: next.sha }],
  };
}
