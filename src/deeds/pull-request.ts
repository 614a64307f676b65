import { short } from "../runs/sentences.ts";
import { type Answer, refused } from "./actor.ts";

/** A pull request as whoever opens the door knows it: fresh from GitHub for a comment, as last heard for the command line. */
export interface PullRequestNow {
  readonly repository: number;
  readonly number: number;
  readonly headSha: string;
  readonly fork: boolean;
  readonly state: "open" | "closed" | "merged";
}

/** SHAs that people type have at least 7 digits: fewer may stand for another commit tomorrow. */
const fewestDigits = 7;

/**
 * Refuses a typed SHA that is not the pull request's head, saying `command`, which is; `null` when it is. A comment does not say which
 * commit its author saw, so the SHA in it is what a person vouches for: a push just before it must not slip in.
 */
export function refuseOtherThanHead(typed: string, { headSha }: PullRequestNow, command: string): Answer | null {
  if (!/^[0-9a-f]+$/i.test(typed)) return refused(`"${typed}" is no SHA. Look at ${short(headSha)}, then: ${command}`);
  if (typed.length < fewestDigits)
    return refused(`A SHA needs at least ${fewestDigits} digits. Look at ${short(headSha)}, then: ${command}`);
  if (headSha.startsWith(typed.toLowerCase())) return null;
  return refused(`The head is ${short(headSha)} now, not ${short(typed)}. Look at what changed, then: ${command}`);
}
