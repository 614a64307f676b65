import { oneLine, parseWorkflowCommand, sayAnnotation, type WorkflowCommand } from "./workflow-command.ts";

/** Reads workflow commands out of what a step writes; the rest passes through as it is. One reader per step. */
export interface OutputReader {
  /** The next piece of output, as it belongs into the log. The beginning of a line that may be a command is held back until it is known. */
  take(piece: Uint8Array): Uint8Array;
  /** What was held back, at the end of the step. */
  end(): Uint8Array;
  /** What the first `::error::` said, in one line; null when there was none. */
  firstError(): string | null;
}

/** Values that the steps of one check want to be masked. The mask searches every line for each, so there is an end to them. */
export interface MaskBudget {
  values: number;
  characters: number;
}

/** What the values of all steps of a check may add up to. */
export function usualMaskBudget(): MaskBudget {
  return { values: 100, characters: 8_000 };
}

/** A command in a longer line is none. */
export const longestCommand = 16_384;

/**
 * `conceal` is called with what `::add-mask::` names before anything that follows it is returned, and that line is never returned; what does
 * not fit into `budget` is said to stay visible. Any bytes are taken, split in any way: the result is the same.
 */
export function createOutputReader(conceal: (value: string) => void, budget: MaskBudget): OutputReader {
  let held: Buffer = Buffer.alloc(0);
  let at: "line start" | "ordinary line" | "dropped line" = "line start";
  let group: string | null = null;
  let error: string | null = null;

  /** What a whole line becomes; null: it passes as it is. */
  function replacement(line: string): string | null {
    const command = parseWorkflowCommand(line);
    if (command === null) return null;
    if (command.kind === "annotation" && command.annotation.level === "error") {
      error ??= oneLine(sayAnnotation(command.annotation).replace(/^Error: /, ""));
    }
    return textOf(command);
  }

  function textOf(command: WorkflowCommand): string {
    switch (command.kind) {
      case "group":
        group = command.name;
        return `▾ ${group}\n`;
      case "endgroup": {
        const ended = group;
        group = null;
        return ended === null ? "" : `▴ ${ended}\n`;
      }
      case "add-mask":
        return mask(command.value);
      case "annotation": {
        const lines = sayAnnotation(command.annotation).split(/\r\n|[\r\n]/);
        return lines.map((line) => `\x1b[${colours[command.annotation.level]}m${line}\x1b[0m\n`).join("");
      }
    }
  }

  function mask(value: string): string {
    if (value.trim() === "") return "";
    if (budget.values < 1 || value.length > budget.characters) return notMasked;
    budget.values -= 1;
    budget.characters -= value.length;
    conceal(value);
    return "";
  }

  /** The last line, whose end has not come yet. */
  function beginLine(line: Buffer): Uint8Array {
    if (!mayBeCommand(line)) {
      at = "ordinary line";
      return line;
    }
    if (line.length <= longestCommand) {
      held = Buffer.from(line);
      return nothing;
    }
    at = isMask(line) ? "dropped line" : "ordinary line";
    return at === "dropped line" ? Buffer.from(notMasked) : line;
  }

  function wholeLine(line: Buffer): Uint8Array | null {
    if (line.length > longestCommand) return isMask(line) ? Buffer.from(notMasked) : null;
    const text = replacement(line.toString("utf8").replace(/\r?\n?$/, ""));
    return text === null ? null : Buffer.from(text);
  }

  return {
    take(piece) {
      let bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      if (at !== "line start") {
        const rest = bytes.indexOf(newline) + 1;
        const kept = at === "ordinary line";
        if (rest === 0) return kept ? piece : nothing;
        at = "line start";
        const before = kept ? bytes.subarray(0, rest) : nothing;
        return Buffer.concat([before, this.take(bytes.subarray(rest))]);
      }
      if (held.length > 0) bytes = Buffer.concat([held, bytes]);
      held = Buffer.alloc(0);
      const out: Uint8Array[] = [];
      // Copied as they are, up to the next command.
      let copied = 0;
      for (const { start, end } of commandLinesIn(bytes)) {
        const text = wholeLine(bytes.subarray(start, end));
        if (text === null) continue;
        out.push(bytes.subarray(copied, start), text);
        copied = end;
      }
      const last = bytes.lastIndexOf(newline) + 1;
      out.push(bytes.subarray(copied, last));
      if (last < bytes.length) out.push(beginLine(bytes.subarray(last)));
      return Buffer.concat(out);
    },
    end() {
      const line = held;
      held = Buffer.alloc(0);
      return wholeLine(line) ?? line;
    },
    firstError: () => error,
  };
}

const newline = 0x0a;
const nothing = new Uint8Array();
const colours = { error: 31, warning: 33, notice: 36 } as const;
const notMasked = "\x1b[33mWarning: ::add-mask:: had too many or too long values; this one is not masked\x1b[0m\n";

/** Whole lines that may be commands. Each byte is looked at a few times at most, whatever they are. */
function* commandLinesIn(bytes: Buffer): Generator<{ readonly start: number; readonly end: number }> {
  let from = 0;
  for (let colons = bytes.indexOf("::"); colons !== -1; colons = bytes.indexOf("::", from)) {
    from = bytes.indexOf(newline, colons) + 1;
    if (from === 0) return;
    const start = bytes.lastIndexOf(newline, colons) + 1;
    if (mayBeCommand(bytes.subarray(start, colons + 2))) yield { start, end: from };
  }
}

/** True for the beginning of a command, also for one that has hardly begun. */
function mayBeCommand(line: Buffer): boolean {
  let blanks = 0;
  while (line[blanks] === 0x20 || line[blanks] === 0x09) blanks += 1;
  return [0, 1].every((next) => blanks + next >= line.length || line[blanks + next] === 0x3a);
}

function isMask(line: Buffer): boolean {
  return /^[ \t]*::add-mask[ :]/.test(line.toString("latin1", 0, longestCommand));
}
