import { GitHubProblem } from "../github/problem.ts";
import { reconsidered, toReconsider } from "../runs/reconsidering.ts";
import { startEditReader } from "./edited-file.ts";
import { watchFreezes } from "./freezes-that-end.ts";
import type { DeploymentMeans } from "./means.ts";
import { reconsiderPreviews } from "./previews/reconsider.ts";
import { type PreviewWatch, watchPreviews } from "./previews/watch.ts";
import { readingOnce } from "./reading-once.ts";
import { reconsider } from "./reconsider.ts";

/** Reconsiders each repository whose facts have changed, now and whenever a change is rung. */
export interface Dispatcher {
  /** Resolves when nothing is left to think through now; what failed is tried again later and not waited for. */
  settled(): Promise<void>;
  /** Resolves when nothing is under way; what is left is thought through after the next start. */
  stop(): Promise<void>;
}

/** Milliseconds between looks when nothing rings, and so between tries of what failed; a freeze is noticed to be over this much late at most. */
const lookEvery = 5_000;

/** Milliseconds after which previews are thought through: a pull request's checks and their statuses come first. */
const soon = 250;

/** Starts it; what a dead server left undone is done first. One at a time per repository; repositories do not wait for each other. */
export function startDispatcher(means: DeploymentMeans): Dispatcher {
  const { database, log } = means;
  const underWay = new Map<number, Promise<void>>();
  const failed = new Set<number>();
  let looking: Promise<void> | null = null;
  let lookAgain = false;
  let stopped = false;
  const ringEnded = watchFreezes(database);
  const previews = watchPreviews(database);

  function look(): Promise<void> {
    lookAgain = true;
    looking ??= lookUntilCalm();
    return looking;
  }

  async function lookUntilCalm(): Promise<void> {
    try {
      while (lookAgain && !stopped) {
        lookAgain = false;
        await ringEnded();
        await previews.ring();
        const due = await database.read(toReconsider);
        for (const { repository, wanted } of due)
          if (!underWay.has(repository) && !failed.has(repository)) begin(repository, wanted);
      }
    } catch (error) {
      log.error({ err: error }, "looking for deployments to reconsider failed; trying again");
    } finally {
      // In the same turn as the last look at `lookAgain`: a ring in between would be lost.
      looking = null;
    }
  }

  function begin(repository: number, wanted: number): void {
    const work = one(means, previews, repository, wanted).then((done) => {
      underWay.delete(repository);
      if (done === "later") failed.add(repository);
      return look();
    });
    underWay.set(repository, work);
  }

  const unwake = [
    database.wake.on("gates", () => void look()),
    database.wake.on("heads", () => {
      setTimeout(() => void look(), soon).unref();
    }),
  ];
  const looks = setInterval(() => {
    failed.clear();
    void look();
  }, lookEvery);
  const edits = startEditReader(means);
  void look();
  return {
    async settled() {
      do {
        await look();
        await Promise.all(underWay.values());
      } while (underWay.size > 0);
      await edits.settled();
    },
    async stop() {
      stopped = true;
      for (const off of unwake) off();
      clearInterval(looks);
      await edits.stop();
      await looking;
      await Promise.all(underWay.values());
    },
  };
}

/** Never rejects. What GitHub or git may do later is left for later; what they never will is left until something changes. */
async function one(
  means: DeploymentMeans,
  previews: PreviewWatch,
  repository: number,
  wanted: number,
): Promise<"done" | "later"> {
  const { database, log } = means;
  try {
    const reading = readingOnce(means);
    await reconsider(reading, repository);
    await reconsiderPreviews(reading, previews, repository);
  } catch (error) {
    const hopeless = error instanceof GitHubProblem && !error.retryable;
    log.warn(
      { err: error, repository },
      hopeless ? "deployments cannot be decided until something changes" : "deployments could not be decided; trying again",
    );
    if (!hopeless) return "later";
  }
  try {
    await database.write((tx) => reconsidered(tx, repository, wanted));
    return "done";
  } catch (error) {
    log.error({ err: error, repository }, "what was decided could not be noted; deciding again");
    return "later";
  }
}
