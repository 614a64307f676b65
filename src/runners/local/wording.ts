import type { Ending } from "../../process/spawn.ts";
import type { CheckEnding } from "../runner.ts";

/** What the log and the commit status call a step: its name, else its first command; an ellipsis says that there is more. At most 60 characters. */
export function titleOf({ name, run }: { readonly name: string | null; readonly run: string }): string {
  const lines = run.split("\n").map((line) => line.trim());
  const commands = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const title = name ?? (commands.length > 1 ? `${commands[0]} …` : (commands[0] ?? "run"));
  const characters = [...title];
  return characters.length <= 60 ? title : `${characters.slice(0, 59).join("").trimEnd()}…`;
}

/** Says how a step ended. A missing program is the sandbox's own shell: an error of the machine, which is thrown. */
export function endingOfStep(title: string, ending: Exclude<Ending, { kind: "stopped" }>): CheckEnding {
  switch (ending.kind) {
    case "exited":
      if (ending.code === 0) return { kind: "passed" };
      return { kind: "failed", what: `${title} exited with ${ending.code}`, exitCode: ending.code };
    case "killed":
      return { kind: "failed", what: `${title} was killed by ${ending.signal}${perhaps(ending.signal)}` };
    case "missing":
      throw new Error(`${ending.program} is missing on this machine: install it`);
  }
}

function perhaps(signal: string): string {
  return signal === "SIGKILL" ? " (out of memory?)" : "";
}
