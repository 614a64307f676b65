import type { Ending } from "../../process/spawn.ts";
import type { CheckEnding } from "../runner.ts";

/** What the log and the commit status call a step: its name, else its first command; an ellipsis says that there is more. At most 60 characters. */
export function titleOf({ name, run }: { readonly name: string | null; readonly run: string }): string {
  const lines = run.split("\n").map((line) => line.trim());
  const commands = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const title = name ?? (commands.length > 1 ? `${commands[0]} …` : (commands[0] ?? "run"));
  return cut(title, 60);
}

/** Says how a step ended, with the first error that its tools told of in a command. A missing program is the sandbox's own shell: an error of the machine, which is thrown. */
export function endingOfStep(
  title: string,
  ending: Exclude<Ending, { kind: "stopped" }>,
  firstError: string | null = null,
): CheckEnding {
  const why = firstError ? `: ${cut(firstError, 200)}` : "";
  switch (ending.kind) {
    case "exited":
      if (ending.code === 0) return { kind: "passed" };
      return { kind: "failed", what: `${title} exited with ${ending.code}${why}`, exitCode: ending.code };
    case "killed":
      return { kind: "failed", what: `${title} was killed by ${ending.signal}${perhaps(ending.signal)}` };
    case "missing":
      throw new Error(`${ending.program} is missing on this machine: install it`);
  }
}

function perhaps(signal: string): string {
  return signal === "SIGKILL" ? " (out of memory?)" : "";
}

function cut(text: string, length: number): string {
  const characters = [...text];
  if (characters.length <= length) return text;
  return `${characters
    .slice(0, length - 1)
    .join("")
    .trimEnd()}…`;
}
