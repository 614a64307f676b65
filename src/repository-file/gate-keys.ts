import { z } from "zod";
import { quote } from "./mistake.ts";
import { nearest } from "./nearest.ts";
import type { Approvals, Freeze, Weekday } from "./repository-file.ts";
import { text } from "./text.ts";

/** In the order of `Date.getUTCDay`. */
export const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const satisfies readonly Weekday[];

// https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
const login = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?$/, { error: "is not a login; write it without @" });
const team = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,99}$/, {
  error: "is not a team's name as in its address: small letters, digits, hyphens and underscores, without the organization",
});

/** The value of `approvals`. */
export const approvals = z
  .strictObject({
    count: z.int().min(1).max(10).default(1).describe("How many people must approve."),
    users: z
      .array(login)
      .min(1)
      .max(50)
      .optional()
      .describe("Who may approve, by login. Without users and teams: whoever may write to the repository."),
    teams: z
      .array(team)
      .min(1)
      .max(20)
      .optional()
      .describe("Members of which teams may approve: the team's name in its address on GitHub. The App needs `members: read`."),
  })
  .transform((given): Approvals => ({ count: given.count, users: given.users ?? [], teams: given.teams ?? [] }));

const endOfDay = 24 * 60;

/** The value of `freeze`. */
export const freezes = z.array(
  z
    .strictObject({
      days: z.array(z.enum(weekdays)).min(1).max(7).optional().describe("Days on which it begins. Without them: every day."),
      from: timeOfDay().optional().describe("When it begins, such as `16:00`. Without it: midnight."),
      to: timeOfDay()
        .optional()
        .describe(
          "When it ends; a time that is not after `from` is that of the next day. `23:59` and `24:00` are the end of the day, as is no `to`.",
        ),
      timezone: timezone().default("UTC").describe("Whose days and times these are, such as `Europe/Berlin`."),
      reason: text(200).optional().describe("What people read who wait for its end."),
    })
    .refine((given) => given.days !== undefined || given.from !== undefined || given.to !== undefined, {
      error: "names neither days nor times; a freeze that never ends is a lock",
    })
    .transform(
      (given): Freeze => ({
        days: given.days ?? weekdays,
        from: given.from ?? 0,
        to: given.to === undefined || given.to === endOfDay - 1 ? endOfDay : given.to,
        timezone: given.timezone,
        reason: given.reason ?? "",
      }),
    ),
);

/** Minutes since midnight. */
function timeOfDay() {
  return z
    .string()
    .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, {
      error: ({ input }) => `${quote(String(input))} is not a time of day; write it like 16:00`,
    })
    .transform((given) => Number(given.slice(0, 2)) * 60 + Number(given.slice(3)));
}

function timezone() {
  return z.string().superRefine((given, context) => {
    if (isTimezone(given)) return;
    const near = nearest(given, Intl.supportedValuesOf("timeZone"));
    const hint = near === undefined ? "write one like Europe/Berlin" : `did you mean ${quote(near)}?`;
    context.addIssue({ code: "custom", message: `${quote(given)} is not a time zone; ${hint}` });
  });
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
