import type { Logger } from "pino";
import type { GitHubProblem } from "../github/problem.ts";

/** Says each trouble with GitHub once for each installation, however many reports it holds up, and when it is over. */
export interface Troubles {
  /** A report will be tried again. `answer` is `null` for what is no answer of GitHub. */
  begin(installation: number | null, answer: GitHubProblem | null, facts: object): void;
  /** A report is not taken because the App lacks a permission. */
  missing(installation: number, sentence: string, facts: object): void;
  /** A report was taken. */
  over(installation: number): void;
}

export function createTroubles(log: Logger): Troubles {
  const waiting = new Map<number, Set<GitHubProblem["kind"]>>();
  const lacking = new Set<string>();
  return {
    begin(installation, answer, facts) {
      const said = installation === null ? undefined : waiting.get(installation);
      const isNew = answer === null || installation === null || said?.has(answer.kind) !== true;
      if (isNew) log.warn({ ...facts, installation }, "GitHub could not be told; trying again");
      else log.debug({ ...facts, installation }, "GitHub could still not be told; trying again");
      if (answer !== null && installation !== null) waiting.set(installation, new Set([...(said ?? []), answer.kind]));
    },
    missing(installation, sentence, facts) {
      const key = `${installation} ${sentence}`;
      if (lacking.has(key)) return;
      lacking.add(key);
      log.error(
        { ...facts, installation },
        "GitHub does not take a report for want of a permission; it is said when there is one",
      );
    },
    over(installation) {
      if (waiting.delete(installation)) log.info({ installation }, "GitHub is told again what is true");
    },
  };
}
