import { api, type Operation, type Parameter, schemaProblems } from "./schemas.ts";

interface Found {
  readonly operation: Operation;
  /** Decoded values by name; `null` where the percent-encoding is broken. */
  readonly pathValues: ReadonlyMap<string, string | null>;
  readonly query: URLSearchParams;
}

/** The operation that a request means; of several that match, the one with the most fixed segments. */
export function findOperation(method: string, target: string): Found | undefined {
  const question = target.indexOf("?");
  const path = question < 0 ? target : target.slice(0, question);
  for (const { operation, pattern } of routes()) {
    const match = operation.method === method.toUpperCase() ? pattern.exec(path) : null;
    if (!match) continue;
    const names = operation.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
    const pathValues = new Map(names.map((name) => [name, decoded(match.groups?.[name] ?? "")]));
    return { operation, pathValues, query: new URLSearchParams(question < 0 ? "" : target.slice(question)) };
  }
  return undefined;
}

export function parameterProblems({ operation, pathValues, query }: Found): readonly string[] {
  const known = operation.parameters.filter((parameter) => parameter.in === "query");
  const unknown = [...new Set(query.keys())].filter((name) => !known.some((parameter) => parameter.name === name));
  return [
    ...unknown.map((name) => `query.${name} is not known to GitHub`),
    ...operation.parameters.flatMap((parameter) => {
      const values = parameter.in === "path" ? [pathValues.get(parameter.name)] : query.getAll(parameter.name);
      return valueProblems(parameter, values);
    }),
  ];
}

function valueProblems(parameter: Parameter, values: readonly (string | null | undefined)[]): readonly string[] {
  const name = `${parameter.in}.${parameter.name}`;
  const [value] = values;
  if (values.length > 1) return [`${name} stands there ${values.length} times`];
  if (value === null) return [`${name} is not percent-encoded as it should be`];
  if (value === undefined) return parameter.required ? [`${name} is missing`] : [];
  return schemaProblems(parameter.schema, typed(value, parameter), name);
}

/** A parameter is text on the wire; its schema says what it stands for. */
function typed(text: string, { schema }: Parameter): unknown {
  const types = [schema.type].flat();
  if (types.includes("integer") && /^-?\d+$/.test(text)) return Number(text);
  if (types.includes("boolean") && /^(true|false)$/.test(text)) return text === "true";
  return text;
}

let made: readonly { readonly operation: Operation; readonly pattern: RegExp }[] | undefined;

function routes() {
  made ??= api()
    .operations.toSorted((a, b) => fixedSegments(b) - fixedSegments(a))
    .map((operation) => ({ operation, pattern: patternOf(operation) }));
  return made;
}

function patternOf({ path, parameters }: Operation): RegExp {
  const source = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const several = parameters.some((parameter) => parameter.name === name && parameter.severalSegments);
    if (name === "path") return `(?<${name}>.*)`; // without a path, GitHub answers with the root folder
    return `(?<${name}>${several ? ".+" : "[^/]+"})`;
  });
  return new RegExp(`^${source}$`);
}

function fixedSegments({ path }: Operation): number {
  return path.split("/").filter((segment) => !segment.startsWith("{")).length;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
