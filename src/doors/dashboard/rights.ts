import type { GitHub } from "../../github/github.ts";
import { mayRead, type Permission, permissionOf } from "../../github/people.ts";
import type { Repository } from "../../github/repository.ts";
import type { Session } from "./session.ts";

/** How long GitHub's answer is taken for true when somebody only reads. */
const readingFor = 5 * 60_000;
const mostRemembered = 10_000;

/** Who may see what. */
export interface Rights {
  /** Rejects with a `GitHubProblem` when GitHub cannot be asked: then nothing is shown. */
  maySee(session: Session | null, repository: Repository): Promise<boolean>;
}

/** A person sees a repository if GitHub lets them read it; its answer holds for five minutes. */
export function gitHubRights(github: GitHub, clock: () => number): Rights {
  const answers = new Map<string, { readonly until: number; readonly permission: Promise<Permission> }>();

  function permission(session: Session, repository: Repository): Promise<Permission> {
    const key = `${session.person.id} ${repository.id}`;
    const known = answers.get(key);
    if (known !== undefined && clock() < known.until) return known.permission;
    const asked = permissionOf(github.as(repository.installation), repository, session.person);
    const answer = { until: clock() + readingFor, permission: asked };
    if (answers.size >= mostRemembered) answers.clear();
    answers.set(key, answer);
    // No answer is not remembered: the next request asks again.
    asked.catch(() => answers.get(key) === answer && answers.delete(key));
    return asked;
  }

  return {
    maySee: async (session, repository) => session !== null && mayRead(await permission(session, repository)),
  };
}

/** Where nobody signs in, everybody who reaches the pages sees everything. */
export const openToAll: Rights = { maySee: async () => true };
