/**
 * Makes `test/support/github-contract/api.generated.json` from GitHub's OpenAPI description. The package is 400 MB, so it is no
 * dependency: install `@octokit/openapi` in a temporary folder and give the path of its `generated/api.github.com.json`.
 *
 *     node scripts/github-contract.ts FOLDER/node_modules/@octokit/openapi/generated/api.github.com.json
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bodyLimits, parameterLimits, usedOperations } from "../test/support/github-contract/used.ts";

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
type JsonObject = { readonly [key: string]: Json };

/** The keywords of a schema that say what is allowed; all others are prose. */
const validating = new Set(
  "type enum required format pattern minimum maximum minLength maxLength minItems maxItems uniqueItems minProperties".split(" "),
);

const target = fileURLToPath(new URL("../test/support/github-contract/api.generated.json", import.meta.url));
const [source] = process.argv.slice(2);
if (source === undefined) {
  console.error(
    "Which description? Give the path of api.github.com.json (npm i @octokit/openapi --prefix FOLDER, then FOLDER/…/generated).",
  );
  process.exit(2);
}
const description = object(JSON.parse(readFileSync(source, "utf8")));
const { name, version } = object(JSON.parse(readFileSync(resolve(source, "../../package.json"), "utf8")));

const operations = usedOperations.map(operation);
const schemas = reachedFrom(operations);
const lines = (entries: readonly string[]) => entries.map((entry) => `    ${entry}`).join(",\n");
writeFileSync(
  target,
  `{
  "source": ${JSON.stringify({ package: name, version, file: "generated/api.github.com.json" })},
  "operations": [
${lines(operations.map((one) => JSON.stringify(one)))}
  ],
  "schemas": {
${lines([...schemas].map(([key, schema]) => `${JSON.stringify(key)}: ${JSON.stringify(schema)}`))}
  }
}
`,
);
console.log(`${operations.length} operations and ${schemas.size} schemas of ${name} ${version}`);

function operation(line: string): JsonObject {
  const [method = "", path = ""] = line.split(" ");
  const found = at(description, ["paths", path, method.toLowerCase()]);
  if (found === undefined) throw new Error(`${line} is not in ${source}: has GitHub renamed a parameter?`);
  const own = object(found);
  const parameters = array(own.parameters ?? []).map((raw) => {
    const parameter = object(resolved(raw));
    const several = parameter["x-multi-segment"] === true ? { severalSegments: true } : {};
    const schema = { ...object(plain(parameter.schema ?? {})), ...parameterLimits[String(parameter.name)] };
    return { name: parameter.name ?? "", in: parameter.in ?? "", required: parameter.required === true, ...several, schema };
  });
  const request = own.requestBody === undefined ? null : object(resolved(own.requestBody));
  const body = request && {
    required: request.required === true,
    schema: limited(path, closed(plain(inlined(content(request) ?? {})))),
  };
  const responses = Object.entries(object(own.responses ?? {})).map(([status, raw]) => {
    const schema = content(object(resolved(raw)));
    return [status, schema === undefined ? null : plain(schema)] as const;
  });
  return { method, path, parameters, body, responses: Object.fromEntries(responses) };
}

/** The schema of a JSON body; of several media types, plain JSON. */
function content(holder: JsonObject): Json | undefined {
  return at(holder, ["content", "application/json", "schema"]);
}

/** From OpenAPI 3.0 to JSON Schema: only what validates, `null` said as a type. */
function plain(schema: Json): Json {
  if (typeof schema !== "object" || schema === null) return schema;
  const { nullable, ...rest } = schema as JsonObject;
  const kept = Object.entries(rest).flatMap(([keyword, value]): [string, Json][] => {
    if (keyword === "$ref") return [[keyword, String(value).replace("#/components/schemas/", "api#/schemas/")]];
    if (keyword === "properties") return [[keyword, mapped(object(value), plain)]];
    if (["allOf", "anyOf", "oneOf"].includes(keyword)) return [[keyword, array(value).map(plain)]];
    if (["items", "additionalProperties", "not"].includes(keyword)) return [[keyword, plain(value)]];
    return validating.has(keyword) ? [[keyword, value]] : [];
  });
  const result: JsonObject = Object.fromEntries(kept);
  if (nullable !== true) return result;
  if (typeof result.type !== "string") return { anyOf: [{ type: "null" }, result] };
  const choices = result.enum === undefined ? {} : { enum: [...new Set([...array(result.enum), null])] };
  return { ...result, type: [result.type, "null"], ...choices };
}

/** Refuses the properties that a request's schema does not list: GitHub ignores them in silence, so in our requests they are mistakes. */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const own = schema as JsonObject;
  const inner = mapped(own, (value) => (value === own.properties ? mapped(object(value), closed) : closed(value)));
  return own.properties === undefined || "additionalProperties" in own ? inner : { ...inner, additionalProperties: false };
}

function limited(path: string, schema: Json): Json {
  return bodyLimits
    .filter((one) => one.path === path)
    .reduce<Json>((result, { property, limit }) => {
      const properties = object(object(result).properties ?? {});
      return {
        ...object(result),
        properties: { ...properties, [property]: { ...object(properties[property] ?? {}), ...limit } },
      };
    }, schema);
}

function reachedFrom(start: Json): Map<string, Json> {
  const reached = new Map<string, Json>();
  const open = references(start);
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (reached.has(key)) continue;
    const schema = plain(at(description, ["components", "schemas", key]) ?? {});
    reached.set(key, schema);
    open.push(...references(schema));
  }
  return new Map([...reached].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function references(value: Json): string[] {
  return [...JSON.stringify(value).matchAll(/"\$ref":"api#\/schemas\/([^"]+)"/g)].map(([, key]) => key ?? "");
}

/** The value itself, or what its `$ref` names. */
function resolved(value: Json): Json {
  const reference = object(value).$ref;
  if (typeof reference !== "string") return value;
  return at(description, reference.slice("#/".length).split("/")) ?? {};
}

function inlined(value: Json): Json {
  if (Array.isArray(value)) return value.map(inlined);
  if (typeof value !== "object" || value === null) return value;
  return "$ref" in value ? inlined(resolved(value)) : mapped(value as JsonObject, inlined);
}

function at(value: Json, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, key) => (inner === undefined ? undefined : object(inner)[key]), value);
}

function mapped(value: JsonObject, change: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]));
}

function object(value: Json): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`not an object: ${JSON.stringify(value)}`);
  return value as JsonObject;
}

function array(value: Json): readonly Json[] {
  if (!Array.isArray(value)) throw new Error(`not a list: ${JSON.stringify(value)}`);
  return value;
}
