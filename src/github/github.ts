import { type Probot, ProbotOctokit } from "probot";
import { knownAnswers } from "./known-answers.ts";
import { createPace, ownTurns, rates } from "./pace.ts";
import { createPause } from "./pause.ts";
import { GitHubProblem, problemFrom } from "./problem.ts";
import { followingRedirects } from "./redirects.ts";
import type { SharedTurns } from "./shared-turns.ts";
import { openTokens, type Token, type TokenScope } from "./tokens.ts";

type Octokit = InstanceType<typeof ProbotOctokit>;

/** GitHub as one installation of the App sees it. Each request rejects with a `GitHubProblem`, never with Octokit's error. */
export interface Installation {
  readonly id: number;
  readonly request: Octokit["request"];
}

/** GitHub as the App sees it. */
export interface GitHub {
  /** The same client each time: it has its installation's pace, and its pause after a rate limit. The signal ends its requests. */
  as(installation: number, signal?: AbortSignal): Installation;
  /** GitHub as the App itself sees it, whatever it is installed on: what belongs to no installation. */
  asApp(): Promise<Pick<Installation, "request">>;
  /** A token that can read one repository's contents and nothing else, for git. */
  contentsToken(installation: number, repository: number): Promise<string>;
  /** What GitHub says of the App: who owns it, and the login its deeds carry. */
  app(): Promise<{ readonly owner: string; readonly bot: string }>;
}

export interface GitHubOptions {
  readonly probot: Probot;
  readonly apiUrl: string;
  readonly clock?: () => number;
  /** Where several replicas share the turns of an installation. */
  readonly turns?: SharedTurns;
  /** Milliseconds until a request counts as unanswered. */
  readonly patience?: number;
  /** In place of Node's own; tests check each request with it. */
  readonly fetch?: typeof fetch;
}

/** Opens the App's way to GitHub; nothing is requested yet. */
export function openGitHub({ probot, apiUrl, turns, patience = 30_000, ...options }: GitHubOptions): GitHub {
  const { clock = Date.now, fetch = (input, init) => globalThis.fetch(input, init) } = options;
  const uptime = options.clock ?? (() => performance.now());
  const request = { fetch: followingRedirects(fetch) };
  // Probot's retry and throttle are off: the inbox and the reporter repeat by themselves, and know what is stale by then.
  const Unpaced = ProbotOctokit.defaults((options: object) => ({
    ...options,
    baseUrl: apiUrl,
    request,
    throttle: { enabled: false },
    retry: { enabled: false },
  }));
  const tokens = openTokens(mint, clock);
  const installations = new Map<number, Installation>();

  let app: Promise<Octokit> | null = null;
  const appPause = createPause(clock, uptime);

  function asApp(): Promise<Octokit> {
    app ??= probot.auth().then((octokit) => {
      octokit.hook.wrap("request", async (send, options) => {
        appPause.check();
        options.request = { ...options.request, retries: 0, signal: patient(options.request.signal) };
        try {
          return await send(options);
        } catch (error) {
          throw appPause.after(problemFrom(error, `${options.method} ${options.url}`, new Date(clock())));
        }
      });
      return octokit;
    });
    return app;
  }

  async function mint({ installation, repository }: TokenScope): Promise<Token> {
    const narrow = repository === undefined ? {} : { repository_ids: [repository], permissions: { contents: "read" as const } };
    const { request } = await asApp();
    try {
      const { data } = await request("POST /app/installations/{installation_id}/access_tokens", {
        installation_id: installation,
        ...narrow,
      });
      return { value: data.token, expiresAt: new Date(data.expires_at) };
    } catch (error) {
      if (!(error instanceof GitHubProblem) || error.kind !== "missing") throw error;
      throw new GitHubProblem("withdrawn", `The App is not installed any more (installation ${installation})`, { cause: error });
    }
  }

  function patient(signal: AbortSignal | undefined): AbortSignal {
    const late = AbortSignal.timeout(patience);
    return signal === undefined ? late : AbortSignal.any([signal, late]);
  }

  function open(installation: number): Installation {
    const octokit = new Unpaced({ authStrategy: () => unauthenticated, log: probot.log.child({ installation }) });
    const pause = createPause(clock, uptime);
    const known = knownAnswers<Awaited<ReturnType<Parameters<Parameters<typeof octokit.hook.wrap<"request">>[1]>[0]>>>();
    const read = createPace(ownTurns(rates.reads, uptime));
    const comment = createPace(ownTurns(rates.comments, uptime));
    const write = createPace(turns === undefined ? ownTurns(rates.writes, uptime) : takeShared);

    async function takeShared(): Promise<number> {
      const turn = await turns?.take(installation);
      if (turn === undefined) return 0;
      pause.atLeast(turn.pause);
      return turn.pause > 0 ? 0 : turn.wait;
    }

    octokit.hook.wrap("request", async (send, options) => {
      const route = `${options.method} ${options.url}`;
      const isRead = options.method === "GET";
      pause.check();
      if (isRead) await read();
      else await write();
      if (!isRead && options.url.endsWith("/comments")) await comment();
      // The pause may have begun while this one stood in line.
      pause.check();
      // Octokit's other hooks see this very object, whatever they are handed; the `request` in it is shared by all requests of
      // this client, where a signal would end later ones too.
      options.request = { ...options.request, signal: patient(options.request.signal) };
      const address = isRead ? octokit.request.endpoint(options).url : "";
      const etag = known.etag(address);
      if (isRead && etag !== null) options.headers["if-none-match"] = etag;
      for (let attempt = 1; ; attempt += 1) {
        const token = await tokens.get({ installation });
        options.headers.authorization = `token ${token}`;
        try {
          const answer = await send(options);
          pause.afterSuccess(answer.headers);
          if (isRead && answer.headers.etag !== undefined) {
            known.keep(address, answer.headers.etag, answer, JSON.stringify(answer.data ?? null).length);
          }
          return answer;
        } catch (error) {
          const before = isUnchanged(error) ? known.recall(address) : null;
          if (before !== null) return before;
          const problem = pause.after(problemFrom(error, route, new Date(clock())));
          if (problem.kind === "limited" && problem.retryAt !== null) {
            // Without the database the others hear it from GitHub itself.
            await turns?.pause(installation, problem.retryAt.getTime() - clock()).catch(() => {});
          }
          // A token has the permissions of when it was minted: the next one may have more.
          if (problem.kind === "unauthorized" || problem.kind === "forbidden") tokens.forget({ installation }, token);
          if (problem.kind !== "unauthorized" || attempt > 1) throw problem;
        }
      }
    });
    return { id: installation, request: octokit.request };
  }

  return {
    as(id, signal) {
      const known = installations.get(id) ?? open(id);
      installations.set(id, known);
      return signal === undefined ? known : { id, request: known.request.defaults({ request: { signal } }) };
    },
    contentsToken: (installation, repository) => tokens.get({ installation, repository }),
    asApp,
    async app() {
      const { data } = await (await asApp()).request("GET /app");
      const owner = data?.owner !== undefined && data.owner !== null && "login" in data.owner ? data.owner.login : "";
      return { owner, bot: `${data?.slug}[bot]` };
    },
  };
}

/** Octokit throws on a 304. */
function isUnchanged(error: unknown): boolean {
  return typeof error === "object" && error !== null && "status" in error && error.status === 304;
}

/** Octokit asks for a strategy; the installation's token is set where it can also be replaced. */
const unauthenticated = Object.assign(async () => ({ type: "installation" }), {
  hook: (request: (route: unknown, parameters: unknown) => Promise<unknown>, route: unknown, parameters: unknown) =>
    request(route, parameters),
});
