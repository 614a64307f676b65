import { type MissingContext, missingContexts, untold } from "../../checks/missing-contexts.ts";
import { type Undeployed, undeployed } from "../../deployments/undeployed.ts";
import { type ExplainedGate, type OnItsWay, type Why, why } from "../../deployments/why.ts";
import { GitHubProblem } from "../../github/problem.ts";
import type { Repository } from "../../github/repository.ts";
import { requiredContextsOf } from "../../github/required-contexts.ts";
import type { Gate } from "../../runs/run.ts";
import { durationInWords, momentInWords, short } from "../../runs/sentences.ts";
import { askingBeside } from "./asking.ts";
import type { Beside } from "./beside-server.ts";

interface Explained extends Why {
  /** Required contexts that nobody produces for what is newest, a sentence each. */
  readonly missing: readonly MissingContext[];
  readonly now: Date;
  readonly newer: Undeployed | { readonly kind: "not known"; readonly because: string };
}

/** What is live, what is on its way and what would let it go on, and why each newer commit is not live; for people, or as JSON. */
export async function whyInWords(beside: Beside, fullName: string, environment: string, asJson: boolean): Promise<string> {
  const { database } = beside;
  const repository = await beside.find(fullName);
  const known = await database.read((db) => why(db, repository.id, environment));
  const newer = await undeployed(await askingBeside(beside), repository, environment).catch((error) => {
    if (!(error instanceof GitHubProblem)) throw error;
    return { kind: "not known" as const, because: error.message };
  });
  const nothingIsKnown = known.live === null && known.lock === null && known.onTheirWay.length === 0;
  if (newer.kind === "refused" && nothingIsKnown) throw new Error(newer.sentence);
  const explained: Explained = {
    ...known,
    missing: await missingFor(beside, repository, newer.kind === "undeployed" ? (newer.commits[0]?.sha ?? null) : null),
    now: new Date(),
    newer: newer.kind === "refused" ? { kind: "not known", because: newer.sentence } : newer,
  };
  return asJson ? JSON.stringify(forMachines(explained), null, 2) : forPeople(explained, fullName, environment);
}

/** For the newest commit that is not live, as far as GitHub tells now. */
async function missingFor(beside: Beside, repository: Repository, newest: string | null): Promise<readonly MissingContext[]> {
  if (newest === null) return [];
  const { database, settings } = beside;
  const { github } = await askingBeside(beside);
  const required = (of: Repository, branch: string) => requiredContextsOf(github.as(of.installation), of, branch);
  const means = { database, contextPrefix: settings.contextPrefix, required };
  return missingContexts(means, repository, newest).catch((error) => {
    if (!(error instanceof GitHubProblem)) throw error;
    return [untold(repository.defaultBranch, error.message)];
  });
}

function forPeople({ live, lock, onTheirWay, newer, missing, now }: Explained, fullName: string, environment: string): string {
  const since = live?.state === "finished" ? `, since ${momentInWords(live.finishedAt, "UTC")}` : "";
  const lines = [
    `${environment} of ${fullName}`,
    live === null ? "Live: nothing yet" : `Live: ${short(live.sha)} ${live.title ?? ""}`.trimEnd() + since,
  ];
  if (lock !== null)
    lines.push(
      `Locked by ${lock.by} since ${momentInWords(lock.since, "UTC")}: ${lock.reason}`,
      `  → Unlock it when its reason is over: signalbox unlock ${fullName} ${environment}`,
    );
  lines.push("", onTheirWay.length === 0 ? "Nothing is on its way." : "On its way, the newest first:");
  for (const one of onTheirWay) lines.push(...onItsWay(one, now));
  lines.push("", ...notLive(newer));
  if (missing.length > 0) lines.push("", "What the branch requires:", ...missing.map(({ sentence }) => `  ${sentence}`));
  return lines.join("\n");
}

function onItsWay({ run, sentence, gates }: OnItsWay, now: Date): readonly string[] {
  const age = durationInWords(now.getTime() - run.createdAt.getTime());
  const asked = run.person === null ? "" : ` by ${run.person}`;
  const head = `  ${short(run.sha)} ${run.title ?? ""}`.trimEnd();
  return [
    `${head} (${run.task}, wished for ${age} ago${asked})`,
    ...(gates.length === 0 ? [`    ${sentence}`] : gates.flatMap((gate) => waits(gate, age))),
  ];
}

/** A context that nobody reports is named with how long nobody has: then its name is wrong, or what should report it is away. */
function waits({ gate, waitsFor, opens }: ExplainedGate, age: string): readonly string[] {
  const missing = gate.kind === "checks" ? gate.notGreen.filter(({ state }) => state === "missing") : [];
  return [
    `    Waiting for ${waitsFor}`,
    ...missing.map(({ context }) => `      ${context}: not reported in ${age}; is it called so, and does anything report it?`),
    `      → ${opens}`,
  ];
}

function notLive(newer: Explained["newer"]): readonly string[] {
  if (newer.kind === "not known") return [`Which commits are newer than what is live cannot be told: ${newer.because}`];
  const { branch, commits, complete } = newer;
  if (commits.length === 0) return [`Nothing on ${branch} is newer than what is live.`];
  return [
    `On ${branch} and not live, the newest first${complete ? "" : " (the newest that GitHub lists; what is live is not among them)"}:`,
    ...commits.map(({ sha, title, author, because }) => `  ${short(sha)} ${title} (${author}): ${because}`),
  ];
}

/** Moments are ISO 8601, in UTC. */
function forMachines({ live, lock, onTheirWay, newer, missing }: Explained): object {
  const aboutLive = live === null ? null : { run: live.id, sha: live.sha, title: live.title, person: live.person };
  return {
    live: live?.state === "finished" ? { ...aboutLive, since: live.finishedAt } : aboutLive,
    lock,
    on_their_way: onTheirWay.map(({ run, sentence, gates }) => ({
      run: run.id,
      sha: run.sha,
      title: run.title,
      task: run.task,
      state: run.state,
      created_at: run.createdAt,
      sentence,
      gates: gates.map(({ gate, waitsFor, opens }) => ({ ...keysForMachines(gate), waits_for: waitsFor, opens })),
    })),
    not_live:
      newer.kind === "not known"
        ? null
        : newer.commits.map(({ sha, title, author, because, committedAt }) => {
            return { sha, title, author, because, committed_at: committedAt };
          }),
    missing: missing.map(({ branch, context }) => ({ branch, context })),
    problem: newer.kind === "not known" ? newer.because : null,
  };
}

function keysForMachines(gate: Gate): object {
  if (gate.kind !== "checks") return gate;
  const { notGreen, ...others } = gate;
  return { ...others, not_green: notGreen };
}
