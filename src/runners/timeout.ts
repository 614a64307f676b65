import type { CheckEnding } from "./runner.ts";

/** How a check ends that took longer than its `timeout`, in milliseconds. */
export function timedOut(timeout: number): CheckEnding {
  return { kind: "failed", what: `timed out after ${sayTimeout(timeout)}` };
}

/** Says milliseconds as people would: "15 min", "1 h 30 min", "40 s". */
export function sayTimeout(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 3_600), "h"],
    [Math.floor((seconds % 3_600) / 60), "min"],
    [seconds % 60, "s"],
  ];
  return parts.flatMap(([amount, unit]) => (amount > 0 ? [`${amount} ${unit}`] : [])).join(" ") || `${milliseconds} ms`;
}
