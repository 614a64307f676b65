import type { Logger } from "pino";
import { GitHubProblem } from "../github/problem.ts";
import { reconsidered, toReconsider } from "../runs/reconsidering.ts";
import type { DeploymentMeans } from "./means.ts";
import { reconsider } from "./reconsider.ts";

/** Reconsiders each repository whose facts have changed, now and whenever a change is rung. */
export interface Dispatcher {
  /** Resolves when nothing is left to think through; what failed is tried again later and not waited for. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const lookEvery = 5_000;

/** Starts it; what a dead server left undone is done first. A failure of GitHub or git is repeated with the next look. */
export function startDispatcher(means: DeploymentMeans): Dispatcher {
  const { database, log } = means;
  let working: Promise<void> | null = null;
  let lookAgain = false;
  let stopped = false;

  function look(): Promise<void> {
    lookAgain = true;
    working ??= round().finally(() => {
      working = null;
    });
    return working;
  }

  async function round(): Promise<void> {
    while (lookAgain && !stopped) {
      lookAgain = false;
      try {
        const due = await database.read(toReconsider);
        await Promise.all(due.map(({ repository, wanted }) => one(means, repository, wanted)));
      } catch (error) {
        log.error({ err: error }, "looking for deployments to reconsider failed; trying again");
      }
    }
  }

  const unwake = database.wake.on("gates", () => void look());
  const looks = setInterval(() => void look(), lookEvery);
  void look();
  return {
    async settled() {
      await look();
    },
    async stop() {
      stopped = true;
      unwake();
      clearInterval(looks);
      await working;
    },
  };
}

async function one(means: DeploymentMeans, repository: number, wanted: number): Promise<void> {
  try {
    await reconsider(means, repository);
    await means.database.write((tx) => reconsidered(tx, repository, wanted));
  } catch (error) {
    await giveUpOrRetry(means.log, error, repository, () => means.database.write((tx) => reconsidered(tx, repository, wanted)));
  }
}

async function giveUpOrRetry(log: Logger, error: unknown, repository: number, giveUp: () => Promise<void>): Promise<void> {
  const hopeless = error instanceof GitHubProblem && !error.retryable;
  log.warn(
    { err: error, repository },
    hopeless
      ? "deployments cannot be reconsidered until something changes"
      : "deployments could not be reconsidered; trying again",
  );
  if (hopeless) await giveUp();
}
