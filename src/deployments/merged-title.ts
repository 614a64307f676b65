/** Which pull request a commit of a branch came from, as GitHub writes it into the first line of a merge's or a squash's message. */
export function mergedTitle(line: string): { readonly title: string; readonly pullRequest: number | null } {
  const merge = /^Merge pull request #(\d{1,9}) from \S/.exec(line)?.[1];
  if (merge !== undefined) return { title: line, pullRequest: Number(merge) };
  const [, title, squash] = /^(.*\S) \(#(\d{1,9})\)$/.exec(line) ?? [];
  return title === undefined ? { title: line, pullRequest: null } : { title, pullRequest: Number(squash) };
}
