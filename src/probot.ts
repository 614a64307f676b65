import type { Logger } from "pino";
import { Probot, ProbotOctokit } from "probot";
import type { Settings } from "./settings.ts";

interface ProbotParts {
  readonly settings: Pick<Settings, "appId" | "privateKey" | "webhookSecrets" | "github">;
  readonly log: Logger;
  /** In place of Node's own, for requests to GitHub's API. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Probot as the dispatcher of events. Its retry and throttle are off: who asks GitHub knows best when to ask again. */
export function createProbot({ settings, log, fetch }: ProbotParts): Probot {
  const request = fetch === undefined ? {} : { request: { fetch } };
  const Octokit = ProbotOctokit.defaults((defaults: object) => ({
    ...defaults,
    ...request,
    throttle: { enabled: false },
    retry: { enabled: false },
  }));
  const { appId, privateKey, webhookSecrets, github } = settings;
  return new Probot({
    appId,
    privateKey,
    secret: webhookSecrets[0],
    baseUrl: github.api,
    Octokit,
    log: log.child({}, { level: quieter(log.level) }),
  });
}

/** At "debug" Probot prints every payload and request; that is for "trace". */
function quieter(level: string): string {
  return level === "debug" ? "info" : level;
}
