import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly required: boolean; readonly schema: object } | null;
  /** By status; `null` where GitHub describes no body. */
  readonly responses: { readonly [status: string]: object | null };
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly severalSegments?: boolean;
  readonly schema: { readonly type?: string | readonly string[] };
}

interface Api {
  readonly operations: readonly Operation[];
  readonly schemas: { readonly [name: string]: object };
}

interface Webhooks {
  readonly definitions: { readonly [name: string]: { readonly properties?: object } };
}

/** What `scripts/github-contract.ts` kept of GitHub's OpenAPI description; read at the first call. */
export const api = once((): Api => JSON.parse(readFileSync(new URL("api.generated.json", import.meta.url), "utf8")));

/** GitHub's webhook schemas, corrected where GitHub's documentation says otherwise; read at the first call. */
export const webhooks = once((): Webhooks => {
  const path = createRequire(import.meta.url).resolve("@octokit/webhooks-schemas/schema.json");
  const { definitions }: Webhooks = JSON.parse(readFileSync(path, "utf8"));
  // A payload that is no JSON object arrives as the text it was. https://docs.github.com/rest/deployments/deployments#create-a-deployment
  const properties = { ...definitions.deployment?.properties, payload: { type: ["object", "string"] } };
  return { definitions: { ...definitions, deployment: { ...definitions.deployment, properties } } };
});

/** What is wrong with a value, each problem with its path below `name`. Schemas are compiled at their first use. */
export function schemaProblems(schema: object, value: unknown, name: string): readonly string[] {
  const validate = compiled.get(schema) ?? ajv().compile(schema);
  compiled.set(schema, validate);
  return validate(value) ? [] : (validate.errors ?? []).map((error) => sentence(error, name));
}

/** The same for a definition of the webhook schemas. */
export function definitionProblems(definition: string, value: unknown): readonly string[] {
  const schema = webhooks().definitions[definition];
  if (schema === undefined) return [`${definition} is not among GitHub's webhook schemas`];
  const validate = compiled.get(schema) ?? webhookAjv().compile({ $ref: `webhooks#/definitions/${definition}` });
  compiled.set(schema, validate);
  return validate(value) ? [] : (validate.errors ?? []).map((error) => sentence(error, "payload"));
}

const compiled = new Map<object, ValidateFunction>();
const ajv = once(() => withFormats().addSchema({ $id: "api", schemas: api().schemas }));
const webhookAjv = once(() => withFormats().addSchema({ $id: "webhooks", definitions: webhooks().definitions }));

function withFormats(): Ajv {
  const made = new Ajv({ strict: false, allErrors: true, validateSchema: false, inlineRefs: false });
  addFormats.default(made);
  return made;
}

function sentence({ instancePath, keyword, params, message }: ErrorObject, name: string): string {
  const path = `${name}${instancePath.replaceAll("/", ".")}`;
  if (keyword === "additionalProperties") return `${path}.${params.additionalProperty} is not known to GitHub`;
  if (keyword === "enum") return `${path} must be one of ${JSON.stringify(params.allowedValues)}`;
  return `${path} ${message}`;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
