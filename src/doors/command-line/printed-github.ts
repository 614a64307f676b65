import { z } from "zod";

/** A GitHub that prints what it is asked. */
export interface PrintedGitHub {
  readonly fetch: typeof globalThis.fetch;
  /** Which delivery the next requests are about. */
  about(payload: unknown): void;
}

/** Answers each request with just what its caller needs to go on; `say` gets a line for each that would change something or that reads. */
export function printedGitHub(repositoryFile: string, say: (line: string) => void): PrintedGitHub {
  let sha = "0".repeat(40);
  let sender: unknown = null;
  let pullRequest: object | null = null;
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
    if (/^GET .*\/permission$/.test(route)) return { status: 200, body: { permission: "write", user: sender } };
    if (/^GET .*\/git\/ref\//.test(route)) return { status: 200, body: { object: { sha } } };
    if (/^GET .*\/pulls\/\d+$/.test(route))
      return { status: 200, body: pullRequest ?? { ...somePullRequest, head: { ...somePullRequest.head, sha } } };
    if (/^GET .*\/git\/commits\//.test(route)) return { status: 200, body: { message: "" } };
    if (/^GET .*\/status$/.test(route)) return { status: 200, body: { statuses: [] } };
    if (/^GET .*\/check-runs$/.test(route)) return { status: 200, body: { check_runs: [] } };
    if (/^GET .*\/(deliveries|deployments|comments|pulls|files|statuses)$|^GET .*\/rules\//.test(route))
      return { status: 200, body: [] };
    ids += 1;
    return { status: method === "GET" ? 200 : 201, body: { id: ids } };
  }

  return {
    about(payload) {
      const { data } = about.safeParse(payload);
      pullRequest = data?.pull_request ?? pullRequest;
      sha = data?.deployment?.sha ?? data?.pull_request?.head.sha ?? sha;
      // Whoever did it may write.
      sender = data?.sender ?? null;
    },
    async fetch(input, init) {
      const url = new URL(input instanceof Request ? input.url : input);
      const method = init?.method ?? "GET";
      const path = decodeURIComponent(url.pathname);
      // A token is no news, and no delivery is about what is fetched once at each start; neither is what Octokit adds to each request.
      const isNews = !path.endsWith("/access_tokens") && !path.endsWith("/hook/deliveries");
      if (isNews) say(`  ${method} ${path}${url.search}${typeof init?.body === "string" ? `\n       ${init.body}` : ""}`);
      const { status, body } = answer(method, url.pathname);
      return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json; charset=utf-8" } });
    },
  };
}

/** What a delivery tells of the commit and the person that it is about. */
const about = z.object({
  deployment: z.object({ sha: z.string() }).optional(),
  pull_request: z.looseObject({ head: z.looseObject({ sha: z.string() }) }).optional(),
  sender: z.looseObject({}).optional(),
});

/** Where no delivery has told of one. */
const somePullRequest = {
  ...{ state: "open", draft: false, merged: false, mergeable: true, title: "A pull request", labels: [] },
  ...{ user: null, updated_at: new Date(0).toISOString(), base: { ref: "main" } },
  head: { ref: "topic", repo: null },
};
