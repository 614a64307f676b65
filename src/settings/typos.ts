import { settings } from "./table.ts";

/** One line for each name in the environment that is probably meant to be one of our settings. */
export function typosIn(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    if (ours.has(name)) return [];
    const [base] = name.split(/_FILE$/);
    if (base !== name && base !== undefined && ours.has(base))
      return [`${name} has no effect: only secrets can come from a file; set ${base}`];
    const meant = nearest(name.toUpperCase());
    return meant === undefined ? [] : [`${name} is not a setting; did you mean ${meant}?`];
  });
}

const ours: ReadonlySet<string> = new Set(settings.flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name])));

/** An environment is full of other programs' names, so a name may differ in one letter of six, and short names never. */
function nearest(name: string): string | undefined {
  const candidates = [...ours].map((known) => ({ known, distance: distance(name, known) }));
  candidates.sort((one, other) => one.distance - other.distance);
  const [best] = candidates;
  return best !== undefined && best.distance <= Math.floor(best.known.length / 6) ? best.known : undefined;
}

/** How many letters to insert, remove or change (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of [...other].entries()) {
      const changed = (row[j] ?? 0) + (letter === otherLetter ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
