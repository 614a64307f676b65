import { z } from "zod";
import { quote } from "./mistake.ts";
import { wrongKind } from "./problems.ts";

/** A duration such as `90s`, `15m`, `2h` or `7d`, read into milliseconds; `most` is in milliseconds, too. */
export function duration(most: { readonly milliseconds: number; readonly because: string }) {
  return z
    .string({ error: ({ input }) => wrongKind("a duration such as 15m", input) })
    .regex(form, {
      error: ({ input }) => `${quote(String(input))} is not a duration; write a number and s, m, h or d, such as 90s, 15m or 2h`,
    })
    .transform((text, context) => {
      const milliseconds = Number(text.slice(0, -1)) * (units.get(text.slice(-1)) ?? 0);
      if (milliseconds <= most.milliseconds) return milliseconds;
      context.issues.push({
        code: "custom",
        input: text,
        message: `is ${text}; at most ${sayDuration(most.milliseconds)} (${most.because})`,
      });
      return z.NEVER;
    });
}

/** The shortest way to write a duration of whole seconds. */
export function sayDuration(milliseconds: number): string {
  const [unit, size] = [...units].reverse().find(([, size]) => milliseconds % size === 0) ?? ["s", 1000];
  return `${Math.floor(milliseconds / size)}${unit}`;
}

const form = /^[1-9][0-9]{0,6}[smhd]$/;
const units: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
