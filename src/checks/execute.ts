import type { Database } from "../database/connection.ts";
import { findRepository, type Repository } from "../github/repository.ts";
import type { AllowedAddress } from "../outbound/addresses.ts";
import { guardedFetch } from "../outbound/fetch.ts";
import { OutboundProblem } from "../outbound/problem.ts";
import type { Caches } from "../process/cache.ts";
import type { GitSource } from "../process/checkout.ts";
import { GitError } from "../process/git.ts";
import { ImageProblem } from "../process/image-problem.ts";
import type { Images } from "../process/images.ts";
import type { Sandbox } from "../process/sandbox.ts";
import type { Workspaces } from "../process/workspace.ts";
import type { CheckPlan } from "../repository-file/repository-file.ts";
import { commandRunner } from "../repository-file/schema.ts";
import type { AnyRunner, CheckCache, CheckOrder } from "../runners/runner.ts";
import { callbacksOf } from "../runs/callbacks.ts";
import type { RunIo, RunningCheck } from "../runs/execute.ts";
import type { Outcome } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import { checkPlanOf } from "./configuration.ts";
import { lazyCheckout } from "./lazy-checkout.ts";
import { lazyImage } from "./lazy-image.ts";

/** What this room needs of the world to execute a check. */
export interface CheckMeans {
  readonly database: Database;
  readonly settings: { readonly publicUrl: string; readonly outboundAllow: readonly AllowedAddress[] };
  readonly workspaces: Workspaces;
  readonly runners: ReadonlyMap<string, AnyRunner>;
  readonly sandbox: Sandbox;
  readonly images: Images;
  /** Without it every run begins with empty folders. */
  readonly caches?: Caches;
  /** By which a dead server's processes are found. */
  readonly mark: Readonly<Record<string, string>>;
  /** Folders of the machine that every check may read; the `bin` of each comes first on PATH. */
  readonly toolsPaths: readonly string[];
  gitSource(repository: Repository): GitSource;
  /** The secrets of a repository, or of one environment of it, by name; without it there are none. */
  secretsFor?(repository: Repository, environment: string | null): (name: string) => Promise<string | null>;
}

/** Executes one attempt of a check: hands the commit, and a check-out if it wants one, to its runner. */
export async function executeCheck(means: CheckMeans, run: RunningCheck, io: RunIo): Promise<Outcome> {
  const repository = await means.database.read((db) => findRepository(db, run.repository));
  if (repository === null) return { kind: "errored", what: "the repository is not known any more" };
  const plan = checkPlanOf(run);
  const runner = means.runners.get(plan.runner);
  if (runner === undefined) return { kind: "errored", what: `this server has no runner "${plan.runner}"` };
  // Elsewhere nobody keeps a fork's commands from a network, and the runner would need a secret.
  if (run.trust === "fork" && plan.runner !== "local")
    return {
      kind: "errored",
      what: `"${plan.runner}" runs nothing of forks`,
      fix: "Push the commit to a branch of this repository",
    };

  const checkout = lazyCheckout({ ...means, repository, run, io });
  const image = lazyImage(means.images, plan.image, io);
  const options =
    plan.runner === commandRunner
      ? { steps: plan.steps.map((step) => ({ name: step.name, run: step.run })), cache: plan.cache }
      : plan.with;
  const order: CheckOrder = {
    ...orderOf(means, run, repository, plan),
    secret: secretsOf(means, repository, plan, io),
    checkOut: async () => {
      const { folder, objects } = await checkout.enter();
      const root = await image.enter();
      // An image brings its own tools; the machine's would not find their libraries in it.
      const tools = root === null ? means.toolsPaths : [];
      return {
        workspace: folder,
        root,
        readable: [objects, ...tools],
        path: tools.map((folder) => `${folder}/bin`),
        sandbox: means.sandbox,
        mark: means.mark,
        cache: cacheOf(means, run),
      };
    },
  };
  try {
    return await runner.run(options, order, io);
  } catch (error) {
    if (!io.stop.aborted && error instanceof GitError && error.failure === "gone") {
      return { kind: "errored", what: `${short(run.sha)} does not exist at GitHub any more`, fix: "Push a new commit" };
    }
    if (!io.stop.aborted && (error instanceof ImageProblem || error instanceof OutboundProblem) && !error.retryable) {
      const fix = error instanceof ImageProblem ? error.fix : null;
      return { kind: "errored", what: error.message, ...(fix === null ? {} : { fix }) };
    }
    throw error;
  } finally {
    await image.leave();
    await checkout.leave();
  }
}

function orderOf({ database, settings }: CheckMeans, run: RunningCheck, repository: Repository, plan: CheckPlan) {
  const { owner, name, cloneUrl } = repository;
  const { sha, ref, pullRequest, trust } = run;
  const link = `${settings.publicUrl}/${owner}/${name}/runs/${run.id}`;
  return {
    name: run.name,
    attempt: run.attempt.number,
    commit: { owner, name, sha, ref, pullRequest, cloneUrl },
    trust,
    link,
    facts: {
      SIGNALBOX_REPOSITORY: `${owner}/${name}`,
      SIGNALBOX_SHA: sha,
      ...(ref === null ? {} : { SIGNALBOX_REF: ref }),
      ...(pullRequest === null ? {} : { SIGNALBOX_PULL_REQUEST: String(pullRequest) }),
      SIGNALBOX_CHECK: run.name,
      SIGNALBOX_RUN: link,
    },
    env: plan.env,
    timeout: plan.timeout,
    fetch: (url, init = {}) => guardedFetch(url, init, { allow: settings.outboundAllow }),
    callbacks: callbacksOf(database, { id: run.id, attempt: run.attempt.number }, settings.publicUrl),
  } satisfies Partial<CheckOrder>;
}

/** Nothing for forks: what they leave would be run with the trust of the next, and what others left may tell them something. */
function cacheOf({ caches }: CheckMeans, { repository, name: check, trust }: RunningCheck): CheckCache | null {
  if (caches === undefined || trust !== "own") return null;
  return {
    restore: (path, to, stop) => caches.restore({ repository, check, path }, to, stop),
    keep: (path, from) => caches.keep({ repository, check, path }, from),
  };
}

/** Only what the check's own `with:` names, so that no runner can reach for another's; taken out of the log before it is handed over. */
function secretsOf(means: CheckMeans, repository: Repository, plan: CheckPlan, io: RunIo): CheckOrder["secret"] {
  // What runs here is the commit's own.
  if (plan.runner === commandRunner) return async () => null;
  const named = new Set(Object.values(plan.with).filter((value) => typeof value === "string"));
  const find = means.secretsFor?.(repository, null);
  return async (name) => {
    const value = named.has(name) && find !== undefined ? await find(name) : null;
    if (value !== null) io.conceal(value);
    return value;
  };
}
