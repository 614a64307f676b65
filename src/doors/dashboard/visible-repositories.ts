import { GitHubProblem } from "../../github/problem.ts";
import { findRepository, type Repository } from "../../github/repository.ts";
import type { House } from "./house.ts";
import type { Session } from "./session.ts";

/** GitHub is asked about this many repositories at once; it allows a hundred. */
const atOnce = 10;

/** The repositories that the App is installed on and the visitor may see, and how many GitHub said nothing about. */
export async function visibleRepositories(
  { database, rights, log }: Pick<House, "database" | "rights" | "log">,
  session: Session | null,
): Promise<{ readonly repositories: readonly Repository[]; readonly unsure: number }> {
  const all = await database.read(async (db) => {
    const ids = await db.selectFrom("repository").select("id").where("active", "=", 1).orderBy("owner").orderBy("name").execute();
    return Promise.all(ids.map(({ id }) => findRepository(db, id)));
  });
  const known = all.filter((repository) => repository !== null);
  const visible: Repository[] = [];
  let unsure = 0;
  for (let from = 0; from < known.length; from += atOnce) {
    const some = known.slice(from, from + atOnce);
    const answers = await Promise.allSettled(some.map((repository) => rights.role(session, repository)));
    for (const [at, answer] of answers.entries()) {
      const repository = some[at];
      if (answer.status === "rejected") {
        if (!(answer.reason instanceof GitHubProblem)) throw answer.reason;
        unsure += 1;
        log.warn({ err: answer.reason, repository: repository?.name }, "GitHub did not say what a visitor may see");
      } else if (answer.value !== "none" && repository !== undefined) visible.push(repository);
    }
  }
  return { repositories: visible, unsure };
}
