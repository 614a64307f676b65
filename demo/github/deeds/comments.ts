import { accountJson, nodeId } from "../json/account.ts";
import { appJson } from "../json/app.ts";
import { associationOf, pullRequestPage } from "../json/pull-request.ts";
import { repositoryUrl } from "../json/repository.ts";
import type { Comment, PullRequest, RepositoryState } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { announce } from "./announce.ts";

/** Comments on a pull request and fires `issue_comment`. */
export function addComment(world: World, pull: PullRequest, author: Account, body: string): Comment {
  const now = world.clock.now();
  const comment: Comment = { id: world.id(), number: pull.number, author, body, createdAt: now, updatedAt: now, reactions: [] };
  pull.base.repository.comments.push(comment);
  tell(world, pull, comment, author, { action: "created" });
  return comment;
}

/** Replaces the text and fires `issue_comment` with the former one in `changes`. */
export function editComment(world: World, pull: PullRequest, comment: Comment, by: Account, body: string): void {
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = world.clock.now();
  tell(world, pull, comment, by, { action: "edited", changes: { body: { from } } });
}

function tell(world: World, pull: PullRequest, comment: Comment, by: Account, facts: Readonly<Record<string, unknown>>): void {
  const repository = pull.base.repository;
  announce(world, repository, "issue_comment", by, {
    ...facts,
    issue: issueJson(world, pull),
    comment: commentJson(world, repository, comment),
  });
}

export function commentJson(world: World, repository: RepositoryState, comment: Comment): Record<string, unknown> {
  const url = `${repositoryUrl(world, repository)}/issues`;
  const pull = repository.pullRequests[comment.number - 1];
  return {
    url: `${url}/comments/${comment.id}`,
    html_url: `${pull ? pullRequestPage(world, pull) : world.origin}#issuecomment-${comment.id}`,
    issue_url: `${url}/${comment.number}`,
    id: comment.id,
    node_id: nodeId("IC", comment.id),
    user: accountJson(world, comment.author),
    created_at: comment.createdAt.toISOString(),
    updated_at: comment.updatedAt.toISOString(),
    author_association: associationOf(repository, comment.author.login),
    performed_via_github_app: comment.author === world.app.bot ? appJson(world) : null,
    body: comment.body,
    reactions: reactionsJson(`${url}/comments/${comment.id}/reactions`, comment.reactions),
  };
}

/** A pull request as the issue that it is too. */
function issueJson(world: World, pull: PullRequest): object {
  const repository = pull.base.repository;
  const url = `${repositoryUrl(world, repository)}/issues/${pull.number}`;
  const page = pullRequestPage(world, pull);
  return {
    url,
    repository_url: repositoryUrl(world, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    html_url: page,
    id: pull.id,
    node_id: nodeId("PR", pull.id),
    number: pull.number,
    title: pull.title,
    user: accountJson(world, pull.author),
    labels: [],
    state: pull.state,
    locked: false,
    assignee: null,
    assignees: [],
    milestone: null,
    comments: repository.comments.filter(({ number }) => number === pull.number).length,
    created_at: pull.createdAt.toISOString(),
    updated_at: pull.updatedAt.toISOString(),
    closed_at: pull.closedAt?.toISOString() ?? null,
    author_association: associationOf(repository, pull.author.login),
    active_lock_reason: null,
    draft: pull.draft,
    pull_request: {
      url: `${repositoryUrl(world, repository)}/pulls/${pull.number}`,
      html_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      merged_at: pull.merged?.at.toISOString() ?? null,
    },
    body: pull.body,
    reactions: reactionsJson(`${url}/reactions`, []),
    state_reason: null,
    performed_via_github_app: null,
  };
}

/** The eight that GitHub knows: https://docs.github.com/en/rest/reactions/reactions#about-reactions */
export const REACTIONS = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"] as const;

function reactionsJson(url: string, reactions: Comment["reactions"]): object {
  const counts = REACTIONS.map((content) => [content, reactions.filter((reaction) => reaction.content === content).length]);
  return { url, total_count: reactions.length, ...Object.fromEntries(counts) };
}
