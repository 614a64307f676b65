/** A GitHub that prints what it is asked. */
export interface PrintedGitHub {
  readonly fetch: typeof globalThis.fetch;
  /** Which delivery the next requests are about. */
  about(payload: unknown): void;
}

/** Answers each request with just what its caller needs to go on; `say` gets a line for each that would change something or that reads. */
export function printedGitHub(repositoryFile: string, say: (line: string) => void): PrintedGitHub {
  let sha = "0".repeat(40);
  let ids = 1;

  function answer(method: string, path: string): { readonly status: number; readonly body: object } {
    const route = `${method} ${path}`;
    if (route.endsWith("/access_tokens"))
      return { status: 201, body: { token: "none", expires_at: new Date(Date.now() + 3_600_000).toISOString() } };
    if (/^GET .*\/contents\//.test(route))
      return {
        status: 200,
        body: {
          type: "file",
          encoding: "base64",
          content: Buffer.from(repositoryFile).toString("base64"),
          size: repositoryFile.length,
        },
      };
    if (/^GET .*\/compare\//.test(route)) return { status: 200, body: { files: [] } };
    if (/^GET .*\/permission$/.test(route)) return { status: 200, body: { permission: "write", user: null } };
    if (/^GET .*\/git\/ref\//.test(route)) return { status: 200, body: { object: { sha } } };
    if (/^GET .*\/pulls\/\d+$/.test(route))
      return { status: 200, body: { state: "open", merged: false, head: { sha, repo: null } } };
    if (/^GET .*\/git\/commits\//.test(route)) return { status: 200, body: { message: "" } };
    if (/^GET .*\/(deployments|comments)$/.test(route)) return { status: 200, body: [] };
    ids += 1;
    return { status: method === "GET" ? 200 : 201, body: { id: ids } };
  }

  return {
    about(payload) {
      sha = deployedSha(payload) ?? sha;
    },
    async fetch(input, init) {
      const url = new URL(input instanceof Request ? input.url : input);
      const method = init?.method ?? "GET";
      const path = decodeURIComponent(url.pathname);
      const isToken = path.endsWith("/access_tokens");
      // A token is no news, and neither is what Octokit adds to each request.
      if (!isToken) say(`  ${method} ${path}${url.search}${typeof init?.body === "string" ? `\n       ${init.body}` : ""}`);
      const { status, body } = answer(method, url.pathname);
      return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json; charset=utf-8" } });
    },
  };
}

function deployedSha(payload: unknown): string | null {
  if (typeof payload !== "object" || payload === null || !("deployment" in payload)) return null;
  const { deployment } = payload;
  return typeof deployment === "object" && deployment !== null && "sha" in deployment && typeof deployment.sha === "string"
    ? deployment.sha
    : null;
}
