import type { z } from "zod";
import { entryOf, type JsonSchema, jsonSchemaOf, object, optionsOfRunners, repositoryFileJsonSchema } from "./json-schema.ts";
import { list } from "./nearest.ts";
import type { Known } from "./schema.ts";
import { templateNames } from "./template.ts";

/** The reference page in Markdown, made of the schema's own descriptions; the same input gives the same page. */
export function repositoryFileReference(known: Known): string {
  const schema = repositoryFileJsonSchema(known);
  const checks = object(schema.properties?.checks);
  const environments = object(schema.properties?.environments);
  return `${[
    "# `.github/signalbox.yml`",
    "<!-- Made by `npm run generate` from src/repository-file/schema.ts: change the descriptions there. -->",
    "What a repository asks Signalbox for. Without this file Signalbox stays silent on it. A file that is wrong is shown as the status `signalbox/config`, with every mistake in it; nothing in it is ever ignored. A pull request that edits the file gets the same status, which says what it changes for deployments: they follow the default branch, so only after the merge.",
    `\`\`\`yaml\n${exampleFile}\`\`\``,
    "## `checks`",
    paragraph(checks),
    table(entryOf(schema, "checks")),
    table(stepOf(entryOf(schema, "checks")), "A step"),
    "## `environments`",
    paragraph(environments),
    table(entryOf(schema, "environments")),
    table(object(entryOf(schema, "environments").properties?.approvals), "`approvals`"),
    table(itemOf(entryOf(schema, "environments").properties?.freeze), "An entry of `freeze`"),
    table(object(entryOf(schema, "environments").properties?.health), "`health`"),
    ...optionTables("runner", optionsOfRunners(known)),
    ...optionTables("target", known.targets),
    "## `automerge`",
    paragraph(object(schema.properties?.automerge)),
    table(object(schema.properties?.automerge)),
    "## `notify`",
    paragraph(object(schema.properties?.notify)),
    table(
      itemOf(schema.properties?.notify),
      "An entry names one chat, by the name of a secret (`bin/signalbox secret set`) of the whole repository",
    ),
    "## Names and limits",
    `The name of a check or environment has ${object(checks.propertyNames).description}. Names that differ only by capital letters are refused, and no check can be called \`config\`. There are at most 50 checks and 50 environments, in at most 256 KB of YAML 1.2 (anchors and merge keys included, tags not).`,
    "## `{{ … }}`",
    `In \`url\`, \`health\` and \`with\` of an environment, ${list(
      templateNames.map((name) => `\`{{ ${name} }}\``),
      "and",
    )} are filled in; anything else in such brackets is a mistake. In addresses the values are percent-encoded. Commands (\`run\`, \`build\`) are left as they are, because a shell reads them and a branch may have any name.`,
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

/** A small file that works. */
export const exampleFile = `checks:
  test:
    run: |
      npm ci
      npm test
    timeout: 15m
    paths: ["src/**", "package*.json"]
    env: { NODE_ENV: test }

environments:
  staging:
    trigger: merge
    target: command
    with: { run: ./deploy.sh staging }
    build: npm ci && npm run build
    url: https://staging.example.com
  production:
    after: staging
    target: command
    with: { run: ./deploy.sh production }
    require_checks: [test]
`;

function optionTables(kind: string, options: ReadonlyMap<string, z.ZodType>): readonly string[] {
  return [...options].flatMap(([name, schema]) => {
    const shape = jsonSchemaOf(schema);
    return [
      `### \`with:\` of the ${kind} \`${name}\``,
      paragraph(shape),
      table(shape) || (shape.description ? "" : "There is nothing to set."),
    ];
  });
}

function paragraph({ description }: JsonSchema): string {
  return description ?? "";
}

function table(schema: JsonSchema, title = ""): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) =>
    row(key, object(value), schema.required?.includes(key)),
  );
  if (rows.length === 0) return "";
  const head = "| key | takes | without it | |\n| --- | --- | --- | --- |";
  return `${title === "" ? "" : `${title}:\n\n`}${[head, ...rows].join("\n")}`;
}

function row(key: string, schema: JsonSchema, required = false): string {
  const usual = schema.default === undefined ? "" : `\`${JSON.stringify(schema.default).replaceAll('"', "")}\``;
  const cells = [`\`${key}\``, takes(schema), required ? "refused" : usual, schema.description ?? ""];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\s+/g, " ")).join(" | ")} |`;
}

/** The kinds of value in the words of the messages. */
function takes(schema: JsonSchema): string {
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) return [...new Set(branches.map((branch) => takes(object(branch))))].join(" or ");
  if (schema.enum)
    return list(
      schema.enum.map((value) => `\`${value}\``),
      "or",
    );
  if (schema.const !== undefined) return `\`${schema.const}\``;
  const kinds = [schema.type ?? []].flat().map((type) => (type === "array" ? listOf(schema) : (words[type] ?? type)));
  return kinds.length ? list(kinds, "or") : "anything";
}

const words: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  object: "a mapping",
  null: "nothing",
};

function listOf({ items }: JsonSchema): string {
  const item = Array.isArray(items) ? undefined : object(items);
  if (item?.type === "string") return "a list of texts";
  return item?.properties ? `a list of { ${Object.keys(item.properties).join(", ")} }` : "a list";
}

function stepOf(check: JsonSchema): JsonSchema {
  const steps = object(check.properties?.run)
    .anyOf?.map(object)
    .find(({ type }) => type === "array");
  return itemOf(steps);
}

function itemOf(list: JsonSchema | boolean | undefined): JsonSchema {
  const { items } = object(list);
  return Array.isArray(items) ? {} : object(items);
}
