import type { PullRequest } from "../repository-state.ts";
import { newestStatuses } from "./statuses.ts";

/** Whether the rules of the base branch keep it from being merged now. */
export function isHeldBack(pull: PullRequest): boolean {
  return whyHeldBack(pull) !== null;
}

/** What GitHub says when it is asked to merge all the same; `null` when nothing holds it back. */
export function whyHeldBack(pull: PullRequest): string | null {
  const { repository } = pull.base;
  const { reviewsNeeded: reviews } = repository;
  const { byRuleset = [], byProtection = [] } = repository.required.get(pull.base.ref) ?? {};
  const approved = new Set(pull.reviews.filter(({ state }) => state === "approved").map(({ by }) => by.login));
  if (approved.size < reviews) return `At least ${reviews} approving review is required by reviewers with write access.`;
  const statuses = newestStatuses(repository, pull.head.sha);
  const runs = repository.checkRuns.filter(({ sha }) => sha === pull.head.sha);
  for (const one of [...byRuleset, ...byProtection]) {
    const { context, app } = typeof one === "string" ? { context: one, app: null } : one;
    const said = [
      ...statuses
        .filter((status) => status.context.toLowerCase() === context.toLowerCase())
        .filter(({ creator }) => app === null || creator.login === `${app}[bot]`)
        .map(({ state }) => state),
      ...runs
        .filter((run) => run.name === context && (app === null || run.app === app))
        .map(({ conclusion }) => conclusion ?? "pending"),
    ];
    if (said.length === 0) return `Required status check "${context}" is expected.`;
    if (said.some((state) => !["success", "neutral", "skipped"].includes(state)))
      return `Required status check "${context}" is failing.`;
  }
  return null;
}
