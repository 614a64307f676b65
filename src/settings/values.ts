/** What a reader throws about a value: a clause that follows the setting's name, and never quotes a secret. */
export class Wrong extends Error {}

/** One of a few words. */
export function oneOf<const Word extends string>(...words: readonly [Word, ...Word[]]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text.toLowerCase());
    if (found === undefined) throw new Wrong(`"${text}" is not known; write ${inWords(words)}`);
    return found;
  };
}

/** A whole number between two bounds, both allowed. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new Wrong(`"${text}" is not a whole number from ${least} to ${most}`);
  };
}

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
const DURATIONS = { s: SECOND, m: 60 * SECOND, h: 60 * 60 * SECOND, d: DAY };
const SIZES = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** A duration such as `90s`, `15m`, `2h` or `90d`, in milliseconds; `most` is in days. */
export function duration(most: number): (text: string) => number {
  return (text) => {
    const length = withUnit(text, DURATIONS, 'a duration; write a number and s, m, h or d, for example "2h"');
    if (length > most * DAY) throw new Wrong(`"${text}" is too long; the most is "${most}d"`);
    return length;
  };
}

/** A size such as `64mb`, in bytes; a kilobyte has 1024 of them. */
export function size(text: string): number {
  return withUnit(text, SIZES, 'a size; write a number and kb, mb or gb, for example "64mb"');
}

function withUnit(text: string, units: Readonly<Record<string, number>>, kind: string): number {
  const [, number, unit] = /^([1-9]\d{0,8})\s*([a-z]+)$/.exec(text.toLowerCase()) ?? [];
  const factor = unit !== undefined && Object.hasOwn(units, unit) ? units[unit] : undefined;
  const value = factor === undefined ? Number.NaN : Number(number) * factor;
  if (!Number.isSafeInteger(value)) throw new Wrong(`"${text}" is not ${kind}`);
  return value;
}

/** The parts of a list that is separated by commas; what stands between two commas is never empty. */
export function list<Part>(read: (text: string) => Part): (text: string) => readonly Part[] {
  return (text) =>
    text.split(",").map((part) => {
      if (part.trim() === "") throw new Wrong("has an empty part; separate the parts by one comma");
      return read(part.trim());
    });
}

/** Words as people list them: `"a", "b" or "c"`. */
export function inWords(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}
