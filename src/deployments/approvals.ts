import type { Query, Transaction } from "../database/connection.ts";
import type { Approvals } from "../repository-file/repository-file.ts";
import { unfinishedDeployments } from "../runs/read.ts";
import { wantReconsidering } from "../runs/reconsidering.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import { configurationOf } from "./configuration.ts";
import { type Refusal, refused } from "./refusal.ts";

export interface ApprovalOrder {
  readonly repository: number;
  readonly environment: string;
  /** As a person types it: at least 7 digits. */
  readonly sha: string;
}

/** A deployment that waits for people's yes, and whose that may be. */
export interface WantedApproval {
  readonly kind: "wanted";
  readonly run: DeploymentRun;
  readonly approvals: Approvals;
}

/** Finds what an approval would be for. The rules may name teams: who is in them must be known before `approveEnvironment`. */
export async function findWantedApproval(db: Query, order: ApprovalOrder): Promise<WantedApproval | Refusal> {
  const { repository, environment, sha } = order;
  if (!/^[0-9a-f]{7,40}$/i.test(sha)) return refused("unknown commit", "name the commit by at least 7 digits of its SHA");
  const unfinished = await unfinishedDeployments(db, { repository, environment });
  const meant = unfinished.filter(
    (run) => run.state !== "running" && run.task === "deploy" && run.sha.startsWith(sha.toLowerCase()),
  );
  const [run, other] = meant;
  if (run === undefined) return refused("unknown commit", `no deployment of ${short(sha)} to ${environment} waits`);
  if (other !== undefined && other.sha !== run.sha)
    return refused("unknown commit", `several commits that wait begin with ${sha}; write more of its digits`);
  const approvals = configurationOf(run)?.rules.approvals ?? null;
  if (approvals === null) return refused("nothing to do", `${environment} needs no approval`);
  return { kind: "wanted", run, approvals };
}

export interface Approver {
  readonly id: number;
  readonly login: string;
  /** Those of the teams in the rules that the person is a member of. */
  readonly teams: readonly string[];
}

/**
 * Keeps a person's yes to one commit for one environment, and has it thought through. Whoever approves must be able to write to the
 * repository, which the caller has made sure of; that the rules allow this person is decided here. The second yes of a person changes
 * nothing.
 */
export async function approveEnvironment(
  tx: Transaction,
  order: ApprovalOrder & { readonly by: Approver },
): Promise<{ readonly kind: "approved"; readonly run: number; readonly sha: string } | Refusal> {
  const wanted = await findWantedApproval(tx.db, order);
  if (wanted.kind === "refused") return wanted;
  const { repository, environment, by } = order;
  const { id, sha } = wanted.run;
  const problem = whyNot(wanted, await involvedIn(tx.db, wanted.run), by);
  if (problem !== null) return refused("not allowed", problem);
  await tx.db
    .insertInto("approval")
    .values({ repository, sha, purpose: purposeOf(environment), person_id: by.id, person: by.login, at: tx.now })
    .onConflict((conflict) => conflict.columns(["repository", "sha", "purpose", "person_id"]).doNothing())
    .execute();
  await wantReconsidering(tx, repository);
  return { kind: "approved", run: id, sha };
}

/** `null` when the rules let this person approve. */
function whyNot({ run, approvals }: WantedApproval, involved: readonly string[], { login, teams }: Approver): string | null {
  if (involved.includes(login.toLowerCase()))
    return `${login} wrote, pushed, merged or asked for ${short(run.sha)}: somebody else must approve it`;
  const isOpen = approvals.users.length === 0 && approvals.teams.length === 0;
  const isNamed = approvals.users.some((user) => user.toLowerCase() === login.toLowerCase());
  if (isOpen || isNamed || approvals.teams.some((team) => teams.includes(team))) return null;
  const whoMay = [...approvals.users, ...approvals.teams.map((team) => `team ${team}`)];
  return `${login} may not approve ${run.environment}; ${whoMay.join(", ")} may`;
}

/** Logins of those who said yes to a commit for an environment. */
export async function approvedBy(
  db: Query,
  { repository, sha, environment }: Pick<DeploymentRun, "repository" | "sha" | "environment">,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("approval")
    .select("person")
    .where("repository", "=", repository)
    .where("sha", "=", sha)
    .where("purpose", "=", purposeOf(environment))
    .orderBy("at")
    .execute();
  return rows.map((row) => row.person);
}

/** Whose yes does not count, in small letters: the author, whoever pushed to or set off anything of the pull request, and who merged, pushed or asked. */
export async function involvedIn(db: Query, run: DeploymentRun): Promise<readonly string[]> {
  const people = [run.author, run.person];
  if (run.pullRequest !== null) {
    const rows = await db
      .selectFrom("run")
      .select(["author", "person"])
      .distinct()
      .where("repository", "=", run.repository)
      .where("pull_request", "=", run.pullRequest)
      .where("kind", "=", "check")
      .execute();
    const pushers = await db
      .selectFrom("pull_request_pusher")
      .select("person")
      .where("repository", "=", run.repository)
      .where("number", "=", run.pullRequest)
      .execute();
    people.push(...rows.flatMap((row) => [row.author, row.person]), ...pushers.map((row) => row.person));
  }
  return [...new Set(people.flatMap((login) => (login === null ? [] : [login.toLowerCase()])))];
}

function purposeOf(environment: string): string {
  return `environment ${environment}`;
}
