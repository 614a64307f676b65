import type { Installation } from "./github.ts";
import type { Repository } from "./repository.ts";

export type Reaction = "rocket" | "confused" | "-1";

/** Reacts to a comment. Repeating it changes nothing. https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment */
export async function react(
  github: Installation,
  { owner, name }: Repository,
  comment: number,
  content: Reaction,
): Promise<void> {
  await github.request("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", {
    owner,
    repo: name,
    comment_id: comment,
    content,
  });
}
