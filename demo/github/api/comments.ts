import { z } from "zod";
import { addComment, commentJson, editComment, REACTIONS } from "../deeds/comments.ts";
import { atLeast, roleOf } from "../deeds/people.ts";
import { actor } from "../http/access.ts";
import { type Answer, created, forbidden, notFound, ok, page } from "../http/answers.ts";
import { bodyOf } from "../http/body.ts";
import { type Call, numberIn, type Route, repositoryRoute } from "../http/router.ts";
import { accountJson, nodeId } from "../json/account.ts";
import type { Comment, RepositoryState } from "../repository-state.ts";
import { pullIn } from "./pull-requests.ts";

/** Comments of pull requests, which are issues too: either permission will do. https://docs.github.com/en/rest/issues/comments */
const READ = ["issues:read", "pull_requests:read"];
const WRITE = ["issues:write", "pull_requests:write"];

export const commentRoutes: readonly Route[] = [
  repositoryRoute("GET", "/issues/comments/:id", READ, (call, repository) =>
    ok(commentJson(call.world, repository, commentIn(call, repository))),
  ),
  repositoryRoute("PATCH", "/issues/comments/:id", WRITE, edit),
  repositoryRoute("POST", "/issues/comments/:id/reactions", WRITE, react),
  repositoryRoute("GET", "/issues/:number/comments", READ, (call, repository) => {
    const { number } = pullIn(call, repository);
    const since = new Date(call.url.searchParams.get("since") ?? 0);
    const found = repository.comments.filter((comment) => comment.number === number && comment.updatedAt >= since);
    return page(
      call.url,
      found.map((comment) => commentJson(call.world, repository, comment)),
    );
  }),
  repositoryRoute("POST", "/issues/:number/comments", WRITE, (call, repository) => {
    const { body } = bodyOf(call, "IssueComment", text);
    const comment = addComment(call.world, pullIn(call, repository), actor(call.world, call.caller), body);
    return created(commentJson(call.world, repository, comment));
  }),
];

const text = z.object({ body: z.string().min(1).max(65_536) });

function edit(call: Call, repository: RepositoryState): Answer {
  const { world } = call;
  const comment = commentIn(call, repository);
  const by = actor(world, call.caller);
  if (by !== comment.author && by !== world.app.bot && !atLeast(roleOf(repository, by), "write"))
    throw forbidden("Must have push access");
  const pull = repository.pullRequests[comment.number - 1];
  if (!pull) throw notFound();
  editComment(world, pull, comment, by, bodyOf(call, "IssueComment", text).body);
  return ok(commentJson(world, repository, comment));
}

/** The same reaction again is 200, a new one 201: https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment */
function react(call: Call, repository: RepositoryState): Answer {
  const { world } = call;
  const comment = commentIn(call, repository);
  const { content } = bodyOf(call, "Reaction", z.object({ content: z.enum(REACTIONS) }));
  const by = actor(world, call.caller);
  const known = comment.reactions.find((reaction) => reaction.by === by && reaction.content === content);
  const reaction = known ?? { id: world.id(), content, by, at: world.clock.now() };
  if (!known) comment.reactions.push(reaction);
  const json = {
    id: reaction.id,
    node_id: nodeId("REA", reaction.id),
    user: accountJson(world, by),
    content,
    created_at: reaction.at.toISOString(),
  };
  return known ? ok(json) : created(json);
}

function commentIn(call: Call, repository: RepositoryState): Comment {
  const id = numberIn(call, "id");
  const comment = repository.comments.find((one) => one.id === id);
  if (!comment) throw notFound();
  return comment;
}
