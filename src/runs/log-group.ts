/** The group that is open behind a line: `▾ name` opens one, `▴ name` ends it; groups do not nest. Runners write these lines. */
export function groupBehind(open: string | null, line: string): string | null {
  if (line.startsWith("▾ ")) return line.slice(2);
  return line.startsWith("▴ ") ? null : open;
}
