import { type Probot, ProbotOctokit } from "probot";
import { createPace } from "./pace.ts";
import { GitHubProblem, problemFrom } from "./problem.ts";
import { openTokens, type Token, type TokenScope } from "./tokens.ts";

type Octokit = InstanceType<typeof ProbotOctokit>;

/** GitHub as one installation of the App sees it. Each request rejects with a `GitHubProblem`, never with Octokit's error. */
export interface Installation {
  readonly id: number;
  readonly request: Octokit["request"];
}

/** GitHub as the App sees it. */
export interface GitHub {
  /** The same client each time: it has its installation's pace, and its pause after a rate limit. */
  as(installation: number): Installation;
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
  /** Milliseconds until a request counts as unanswered. */
  readonly patience?: number;
  /** In place of Node's own; tests check each request with it. */
  readonly fetch?: typeof fetch;
}

/** Opens the App's way to GitHub; nothing is requested yet. */
export function openGitHub({ probot, apiUrl, clock = Date.now, patience = 30_000, fetch }: GitHubOptions): GitHub {
  const request = { ...(fetch === undefined ? {} : { fetch }) };
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

  function asApp(): Promise<Octokit> {
    app ??= probot.auth().then((octokit) => {
      octokit.hook.wrap("request", async (send, options) => {
        options.request = { ...options.request, retries: 0, signal: options.request.signal ?? AbortSignal.timeout(patience) };
        try {
          return await send(options);
        } catch (error) {
          throw problemFrom(error, `${options.method} ${options.url}`, new Date(clock()));
        }
      });
      return octokit;
    });
    return app;
  }

  async function mint({ installation, repository }: TokenScope): Promise<Token> {
    const narrow = repository === undefined ? {} : { repository_ids: [repository], permissions: { contents: "read" as const } };
    const { data } = await (await asApp()).request("POST /app/installations/{installation_id}/access_tokens", {
      installation_id: installation,
      ...narrow,
    });
    return { value: data.token, expiresAt: new Date(data.expires_at) };
  }

  function open(installation: number): Installation {
    const octokit = new Unpaced({ authStrategy: () => unauthenticated, log: probot.log.child({ installation }) });
    const turn = createPace({ clock });
    let pausedUntil = 0;
    const refuseWhilePaused = () => {
      if (clock() >= pausedUntil) return;
      const retryAt = new Date(pausedUntil);
      throw new GitHubProblem("limited", `GitHub asked to wait until ${retryAt.toISOString()}`, { retryAt });
    };
    octokit.hook.wrap("request", async (send, options) => {
      const route = `${options.method} ${options.url}`;
      refuseWhilePaused();
      if (options.method !== "GET") await turn();
      // The pause may have begun while this one stood in line.
      refuseWhilePaused();
      // Octokit's other hooks see this very object, whatever they are handed; the `request` in it is shared by all requests of
      // this client, where a signal would end later ones too.
      options.request = { ...options.request, signal: options.request.signal ?? AbortSignal.timeout(patience) };
      for (let attempt = 1; ; attempt += 1) {
        const token = await tokens.get({ installation });
        options.headers.authorization = `token ${token}`;
        try {
          return await send(options);
        } catch (error) {
          const problem = problemFrom(error, route, new Date(clock()));
          if (problem.retryAt !== null) pausedUntil = problem.retryAt.getTime();
          if (problem.kind !== "unauthorized" || attempt > 1) throw problem;
          tokens.forget({ installation }, token);
        }
      }
    });
    return { id: installation, request: octokit.request };
  }

  return {
    as(id) {
      const known = installations.get(id) ?? open(id);
      installations.set(id, known);
      return known;
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

/** Octokit asks for a strategy; the installation's token is set where it can also be replaced. */
const unauthenticated = Object.assign(async () => ({ type: "installation" }), {
  hook: (request: (route: unknown, parameters: unknown) => Promise<unknown>, route: unknown, parameters: unknown) =>
    request(route, parameters),
});
