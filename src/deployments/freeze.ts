import type { Freeze, Weekday } from "../repository-file/repository-file.ts";

/** The freeze that holds at a moment, and when no freeze of these holds any more; `null` when none holds now. */
export function freezeAt(freezes: readonly Freeze[], now: Date): { readonly freeze: Freeze; readonly until: Date | null } | null {
  const first = holding(freezes, now);
  if (first === null) return null;
  let until = first.until;
  // One freeze may begin where another ends; a week of those is one that never ends.
  while (until.getTime() - now.getTime() <= longest) {
    const next = holding(freezes, until);
    if (next === null) return { freeze: first.freeze, until };
    until = next.until;
  }
  return { freeze: first.freeze, until: null };
}

const day = 24 * 60 * 60_000;
const longest = 8 * day;
const weekdays: readonly Weekday[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Of several that hold the one that ends last. */
function holding(freezes: readonly Freeze[], now: Date): { readonly freeze: Freeze; readonly until: Date } | null {
  const ends = freezes.flatMap((freeze) => {
    const until = endOf(freeze, now);
    return until === null ? [] : [{ freeze, until }];
  });
  return ends.sort((a, b) => b.until.getTime() - a.until.getTime())[0] ?? null;
}

/** When a freeze ends that holds now. It may have begun today or yesterday, as days are counted in its time zone. */
function endOf({ days, from, to, timezone }: Freeze, now: Date): Date | null {
  const clock = clockOf(timezone);
  const today = Math.floor(clock(now) / day);
  const ends = [today - 1, today].flatMap((date) => {
    const weekday = weekdays[new Date(date * day).getUTCDay()];
    if (weekday === undefined || !days.includes(weekday)) return [];
    // Where a clock that is set back shows a time twice, or one that is put forward skips it, the freeze is the longer one.
    const begin = Math.min(...momentsOf(date * day + from * 60_000, clock));
    const end = Math.max(...momentsOf((to > from ? date : date + 1) * day + to * 60_000, clock));
    return begin <= now.getTime() && now.getTime() < end ? [end] : [];
  });
  return ends.length === 0 ? null : new Date(Math.max(...ends));
}

/** What a clock on the wall shows at a moment, as the milliseconds at which a clock in UTC would show the same. */
type WallClock = (moment: Date) => number;

function clockOf(timeZone: string): WallClock {
  const digits = {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  } as const;
  const format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", calendar: "gregory", ...digits });
  return (moment) => {
    const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  };
}

/**
 * The moments at which the clock shows this time: two when it is set back then. For a time that it skips, the two moments that it
 * would be by the offset before and the one after.
 */
function momentsOf(wall: number, clock: WallClock): readonly number[] {
  const moments = [wall - day, wall + day].map((near) => wall - (clock(new Date(near)) - near));
  const real = moments.filter((moment) => clock(new Date(moment)) === wall);
  return real.length > 0 ? real : moments;
}
