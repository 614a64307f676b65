import { userInfo } from "node:os";
import type { Wake } from "../../database/wake.ts";
import type { Actor } from "../../deeds/actor.ts";
import type { GitHub } from "../../github/github.ts";
import { type Role, roleOf } from "../../github/people.ts";
import type { Repository } from "../../github/repository.ts";
import type { Session } from "./session.ts";

/** How long GitHub's answer is taken for true when somebody only reads, and when somebody acts. */
const readingFor = 5 * 60_000;
const actingFor = 30_000;
const mostRemembered = 10_000;

/** Who may see and do what. Rejects with a `GitHubProblem` when GitHub cannot be asked: then nothing is shown or done. */
export interface Rights {
  /** For seeing. */
  role(session: Session | null, repository: Repository): Promise<Actor["role"]>;
  /** For acting: who it is, as GitHub knows them now. */
  actor(session: Session | null, repository: Repository): Promise<Actor>;
}

/** A person sees a repository if GitHub lets them read it, and acts if it lets them write. Its answers are forgotten when something rings "rights". */
export function gitHubRights(github: GitHub, wake: Pick<Wake, "on">, clock: () => number): Rights {
  const answers = new Map<string, { readonly askedAt: number; readonly role: Promise<Role> }>();
  wake.on("rights", () => answers.clear());

  function role(session: Session, repository: Repository, holdsFor: number): Promise<Role> {
    const key = `${session.person.id} ${repository.id}`;
    const known = answers.get(key);
    if (known !== undefined && clock() - known.askedAt < holdsFor) return known.role;
    const asked = roleOf(github.as(repository.installation), repository, session.person);
    const answer = { askedAt: clock(), role: asked };
    if (answers.size >= mostRemembered) answers.clear();
    answers.set(key, answer);
    // No answer is not remembered: the next request asks again.
    asked.catch(() => answers.get(key) === answer && answers.delete(key));
    return asked;
  }

  return {
    role: async (session, repository) => (session === null ? "none" : role(session, repository, readingFor)),
    async actor(session, repository) {
      if (session === null) return { login: "somebody", id: 0, role: "none", door: "page" };
      return { ...session.person, role: await role(session, repository, actingFor), door: "page" };
    },
  };
}

/** Where nobody signs in, whoever reaches the pages sits at the server itself: its operator. */
export const openToAll: Rights = {
  role: async () => "operator",
  actor: async () => ({ login: userInfo().username, id: 0, role: "operator", door: "page" }),
};
