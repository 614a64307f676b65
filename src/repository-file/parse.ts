import { listMistakes, type Mistake, type Problem } from "./mistake.ts";
import { problemsWith, wrongKind } from "./problems.ts";
import type { RepositoryFile } from "./repository-file.ts";
import { brokenRules, tooManyEntries } from "./rules.ts";
import { type Known, repositoryFileSchema } from "./schema.ts";
import { readYaml } from "./yaml.ts";

/** A repository's file that can be obeyed, or everything that is wrong with it. */
export type ParsedRepositoryFile =
  | { readonly kind: "file"; readonly file: RepositoryFile }
  | { readonly kind: "mistakes"; readonly mistakes: readonly Mistake[] };

/**
 * Reads `.github/signalbox.yml`, whoever wrote it: whatever the text is, it never throws. An empty file asks for nothing. Of its mistakes it tells
 * the first `most`.
 */
export function parseRepositoryFile(text: string, known: Known, most = 20): ParsedRepositoryFile {
  const yaml = readYaml(text);
  const value = yaml.value ?? {};
  const schema = repositoryFileSchema(known);
  const problems = [...yaml.problems, ...(yaml.value === undefined ? [] : problemsOf(value, schema, known))];
  if (problems.length > 0) return { kind: "mistakes", mistakes: listMistakes(problems, yaml.lineOf, most) };
  return { kind: "file", file: schema.parse(value) };
}

function problemsOf(value: unknown, schema: ReturnType<typeof repositoryFileSchema>, known: Known): readonly Problem[] {
  if (typeof value !== "object" || Array.isArray(value))
    return [{ path: [], problem: `the file ${wrongKind("a mapping with the keys checks and environments", value)}` }];
  const tooMany = tooManyEntries(value);
  return tooMany.length > 0 ? tooMany : [...problemsWith(schema, value), ...brokenRules(value, known)];
}
