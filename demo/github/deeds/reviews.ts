import { accountJson, nodeId } from "../json/account.ts";
import { associationOf, pullRequestSummaryJson } from "../json/pull-request.ts";
import { repositoryPage, repositoryUrl } from "../json/repository.ts";
import type { PullRequest, Review } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { announce } from "./announce.ts";

/** Adds a review of the head and fires `pull_request_review`. */
export function addReview(world: World, pull: PullRequest, by: Account, state: Review["state"]): Review {
  const review: Review = { id: world.id(), by, state, sha: pull.head.sha, at: world.clock.now() };
  pull.reviews.push(review);
  const facts = {
    action: "submitted",
    review: reviewJson(world, pull, review, "event"),
    pull_request: pullRequestSummaryJson(world, pull),
  };
  announce(world, pull.base.repository, "pull_request_review", by, facts);
  return review;
}

/** A review; events write the state in small letters, the API in capitals. */
export function reviewJson(world: World, pull: PullRequest, review: Review, where: "event" | "api"): Record<string, unknown> {
  const { repository } = pull.base;
  const page = `${repositoryPage(world, repository)}/pull/${pull.number}`;
  const html = `${page}#pullrequestreview-${review.id}`;
  const url = `${repositoryUrl(world, repository)}/pulls/${pull.number}`;
  return {
    id: review.id,
    node_id: nodeId("PRR", review.id),
    user: accountJson(world, review.by),
    body: where === "api" ? "" : null,
    commit_id: review.sha,
    submitted_at: review.at.toISOString(),
    state: where === "api" ? review.state.toUpperCase() : review.state,
    html_url: html,
    pull_request_url: url,
    author_association: associationOf(repository, review.by.login),
    _links: { html: { href: html }, pull_request: { href: url } },
  };
}
