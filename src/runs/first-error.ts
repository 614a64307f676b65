/** Notices the line of a log that first tells of an error. */
export interface ErrorFinder {
  look(line: string, number: number): void;
  /** What a tool marked as an error on purpose, else the first line that sounds like one; `null` when none does. */
  found(): number | null;
}

export function createErrorFinder(): ErrorFinder {
  let marked: number | null = null;
  let likely: number | null = null;
  return {
    look(line, number) {
      if (marked !== null) return;
      if (line.startsWith(annotation)) marked = number;
      else if (likely === null && soundsLikeAnError(line)) likely = number;
    },
    found: () => marked ?? likely,
  };
}

/** How the local runner writes `::error::` into a log. */
const annotation = "\x1b[31mError: ";

/** A guess, made once for each line: a longer one tells it at its beginning. */
function soundsLikeAnError(line: string): boolean {
  const text = line.slice(0, 300).replace(/\x1b\[[\d;:]*m/g, "");
  if (/\b(?:0|no) (?:errors?|fail(?:ed|ures?|ing)?)\b/i.test(text)) return false;
  return /(?:^|[\s[(:])(?:[A-Z]\w*)?(?:error|exception)(?:[\s:!\])]|$)|(?:^|\s)(?:fail(?:ed|ure)?|fatal|panic|traceback)(?:[\s:!(]|$)|^\s*(?:✗|✘|✖|×|not ok\b)/i.test(
    text,
  );
}
