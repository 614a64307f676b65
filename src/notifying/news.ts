import type { ChatEvent } from "../repository-file/repository-file.ts";
import type { CheckRun, DeploymentRun, Run } from "../runs/run.ts";
import { sentenceOf, short } from "../runs/sentences.ts";

/** What people are told of a subject as it is now, in no chat's own language: all of its texts are plain and may be hostile. */
export interface News {
  /** What has happened; empty when only a message that is there already must become true. */
  readonly events: readonly ChatEvent[];
  /** Somebody broke the glass: told whatever events a chat has asked for. */
  readonly alarm: boolean;
  readonly mood: "good" | "bad" | "busy" | "waiting" | "over";
  readonly headline: string;
  readonly sentence: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly sha: string;
  readonly title: string | null;
  readonly person: string | null;
  readonly pullRequest: number | null;
  readonly environment: string | null;
  /** The page of Signalbox. */
  readonly page: string;
  /** Where people find what was deployed. */
  readonly site: string | null;
}

/** What the news needs to know besides the runs. */
export interface Surroundings {
  /** `owner/name`. */
  readonly repository: string;
  /** Base of every link. */
  readonly publicUrl: string;
  /** How the line that the subject continues stood before: a pull request, a branch or an environment. */
  readonly before: "good" | "bad" | null;
  /** Who broke the glass for a deployment, and why. */
  readonly override: { readonly by: string; readonly reason: string } | null;
}

/** What a deployment is worth telling; `null` while there is nothing. */
export function newsOfDeployment(run: DeploymentRun, around: Surroundings): News | null {
  const alarm = around.override !== null && run.state !== "waiting";
  const told = { ...about(run, around), alarm, environment: run.environment, page: runPage(run, around) };
  const broken = around.override === null ? "" : `. ${around.override.by} broke the glass: ${around.override.reason}`;
  const sentence = `${sentenceOf(run)}${broken}`;
  switch (run.state) {
    case "waiting": {
      const isAsked = run.gates.some((gate) => gate.kind === "approval");
      return {
        ...told,
        events: isAsked ? ["waiting"] : [],
        mood: "waiting",
        headline: `${doing[run.task].noun} ${run.environment} waits`,
        sentence,
      };
    }
    case "queued":
      return null;
    case "running":
      return { ...told, events: ["started"], mood: "busy", headline: `${doing[run.task].now} ${run.environment}`, sentence };
    case "finished":
      return { ...told, ...endOfDeployment(run, around), sentence };
  }
}

const doing = {
  deploy: { noun: "The deployment to", now: "Deploying to", done: "Deployed to" },
  rollback: { noun: "The rollback of", now: "Rolling back", done: "Rolled back" },
  teardown: { noun: "The teardown of", now: "Taking down", done: "Took down" },
} as const;

function endOfDeployment(
  { outcome, task, environment }: Extract<DeploymentRun, { state: "finished" }>,
  { before }: Surroundings,
): Pick<News, "events" | "mood" | "headline" | "site"> {
  const { noun, done } = doing[task];
  switch (outcome.kind) {
    case "passed": {
      const events: ChatEvent[] = before === "bad" && task === "deploy" ? ["recovery"] : [];
      if (task === "deploy") events.push("deployed");
      if (task === "rollback") events.push("deployed", "rolled_back");
      return { events, mood: "good", headline: `${done} ${environment}`, site: outcome.live?.url ?? null };
    }
    case "failed":
    case "errored":
    case "lost":
      return { events: ["failure"], mood: "bad", headline: `${noun} ${environment} failed`, site: null };
    case "cancelled":
      return { events: [], mood: "over", headline: `${noun} ${environment} was cancelled`, site: null };
  }
}

/** What the checks of a commit are worth telling, of those that speak for it; `null` while there is nothing. */
export function newsOfChecks(runs: readonly CheckRun[], around: Surroundings): News | null {
  const [run] = runs;
  if (run === undefined) return null;
  const told = { ...about(run, around), page: runs.length === 1 ? runPage(run, around) : commitPage(run, around) };
  const where = run.pullRequest === null ? (run.ref ?? short(run.sha)) : `#${run.pullRequest}`;
  const red = runs.filter(isRed);
  const [first] = red;
  if (first !== undefined) {
    const sentence =
      red.length === 1 ? `${first.name}: ${sentenceOf(first)}` : `Not green: ${red.map(({ name }) => name).join(", ")}`;
    const page = red.length === 1 ? runPage(first, around) : told.page;
    return { ...told, page, events: ["failure"], mood: "bad", headline: `Checks failed on ${where}`, sentence };
  }
  const asked = runs.find((one) => one.state === "waiting" && one.gates.some((gate) => gate.kind === "approval"));
  if (asked !== undefined)
    return { ...told, events: ["waiting"], mood: "waiting", headline: `Checks wait on ${where}`, sentence: sentenceOf(asked) };
  if (runs.some((one) => one.state !== "finished"))
    return { ...told, events: [], mood: "busy", headline: `Checks run on ${where}`, sentence: "Running" };
  if (runs.some((one) => one.state === "finished" && one.outcome.kind === "cancelled"))
    return { ...told, events: [], mood: "over", headline: `Checks were cancelled on ${where}`, sentence: sentenceOf(run) };
  const many = runs.length === 1 ? "The only check" : `All ${runs.length} checks`;
  const sentence = `${many} passed`;
  if (around.before === "bad")
    return { ...told, events: ["recovery"], mood: "good", headline: `Checks are green again on ${where}`, sentence };
  return { ...told, events: [], mood: "good", headline: `Checks are green on ${where}`, sentence };
}

function isRed(run: CheckRun): boolean {
  return run.state === "finished" && (run.outcome.kind === "failed" || run.outcome.kind === "errored");
}

function about(run: Run, { repository }: Surroundings) {
  const { sha, title, person, pullRequest } = run;
  return { repository, sha, title, person, pullRequest, environment: null, site: null, alarm: false };
}

function runPage(run: Run, { publicUrl, repository }: Surroundings): string {
  return `${publicUrl}/${repository}/runs/${run.id}`;
}

function commitPage(run: Run, { publicUrl, repository }: Surroundings): string {
  return `${publicUrl}/-/config/${repository}/${run.sha}`;
}
