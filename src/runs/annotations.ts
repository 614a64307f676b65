import type { Database } from "../database/connection.ts";
import { readChunks } from "./log.ts";

/** What a tool said of a place in the code, as the local runner writes it into the log: `Error: message (file:line:column)`, in colour. */
export interface LogAnnotation {
  readonly level: "error" | "warning" | "notice";
  readonly message: string;
  /** Relative to the repository's root. */
  readonly file: string;
  readonly line: number;
}

/** The first annotations of an attempt that name a line of the repository, in the order of its log, at most `most`. The log is read one chunk at a time. */
export async function annotationsOf(
  database: Database,
  of: { readonly run: number; readonly attempt: number },
  most: number,
): Promise<readonly LogAnnotation[]> {
  const found: LogAnnotation[] = [];
  let open: Open | null = null;
  for await (const { lines } of readChunks(database, of)) {
    for (const line of lines) {
      open = read(line, open);
      const whole = open === null ? null : wholeOf(open);
      if (whole === null) continue;
      found.push(whole);
      open = null;
      if (found.length === most) return found;
    }
  }
  return found;
}

/** One that may go on in the next line: only its last says where. */
interface Open {
  readonly level: LogAnnotation["level"];
  readonly text: string;
}

const levels = { "31mError": "error", "33mWarning": "warning", "36mNotice": "notice" } as const;
const colours = { error: "31", warning: "33", notice: "36" } as const;
/** Of what a tool says; a longer text is in the log. */
const longestMessage = 4_000;

function read(line: string, open: Open | null): Open | null {
  if (!line.startsWith("\x1b[3") || !line.endsWith("\x1b[0m")) return null;
  const [, label, first] = /^\x1b\[(31mError|33mWarning|36mNotice): (.*)\x1b\[0m$/.exec(line) ?? [];
  if (label !== undefined && first !== undefined && Object.hasOwn(levels, label))
    return { level: levels[label as keyof typeof levels], text: first };
  if (open === null || !line.startsWith(`\x1b[${colours[open.level]}m`)) return null;
  return { ...open, text: `${open.text}\n${line.slice("\x1b[31m".length, -"\x1b[0m".length)}`.slice(0, 2 * longestMessage) };
}

/** Without a line it may as well be a remark in brackets. */
function wholeOf({ level, text }: Open): LogAnnotation | null {
  const at = text.lastIndexOf(" (");
  if (at < 1 || !text.endsWith(")")) return null;
  const [, place = "", line = ""] = /^(.+?):(\d{1,9})(?::\d{1,9})?$/.exec(text.slice(at + 2, -1)) ?? [];
  const file = fileOf(place);
  return file === null
    ? null
    : { level, message: text.slice(0, Math.min(at, longestMessage)), file, line: Math.max(1, Number(line)) };
}

/** Where tools say it: from the check-out, or from the root of what they see. */
function fileOf(place: string): string | null {
  const path = place.replace(/^\/workspace\//, "").replace(/^(?:\.\/)+/, "");
  return path === "" || path.startsWith("/") || path.split("/").includes("..") ? null : path;
}
