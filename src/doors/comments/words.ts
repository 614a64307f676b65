import type { Answer } from "../../deeds/actor.ts";
import type { Reaction } from "../../github/reactions.ts";
import type { Command } from "./parse.ts";

/** What a comment with commands gets: a reaction, and an answer where there is something to say. */
export interface Reply {
  readonly reaction: Reaction;
  readonly answer: string | null;
}

export interface Obeyed {
  readonly command: Command;
  readonly answer: Answer;
}

/** A rocket says that all was done; what was refused, or asked for help, is answered in words. */
export function replyTo(obeyed: readonly Obeyed[]): Reply {
  const isSilent = obeyed.every(({ command, answer }) => answer.kind === "done" && command.kind !== "help");
  return {
    reaction: obeyed.every(({ answer }) => answer.kind === "done") ? "rocket" : "confused",
    answer: isSilent ? null : obeyed.map(sentenceOf).join("\n\n"),
  };
}

export function confused(answer: string): Reply {
  return { reaction: "confused", answer };
}

function sentenceOf({ command, answer }: Obeyed): string {
  return `${asCode(wordsOf(command))}: ${answer.kind === "done" ? answer.said : answer.why}`;
}

function wordsOf(command: Command): string {
  switch (command.kind) {
    case "approve checks":
      return `/approve ${command.sha.slice(0, 7)}`;
    case "approve environment":
      return `/approve ${command.environment} ${command.sha.slice(0, 7)}`;
    case "retry":
      return command.check === null ? "/retry" : `/retry ${command.check}`;
    case "cancel":
    case "help":
      return `/${command.kind}`;
    case "deploy":
    case "rollback":
    case "lock":
    case "unlock":
      return `/${command.kind} ${command.environment}`;
    case "not understood":
      return `/${command.name}`;
  }
}

/** Words of a stranger between backticks, where nothing in them is a mention, a link or a command. */
function asCode(words: string): string {
  const [...characters] = words.replace(/[`\p{C}]/gu, "");
  return `\`${characters.length <= 60 ? characters.join("") : `${characters.slice(0, 59).join("")}…`}\``;
}
