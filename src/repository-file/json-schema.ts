import { z } from "zod";
import { isNotYet } from "./later.ts";
import { commandRunner, type Known, repositoryFileSchema } from "./schema.ts";

export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** For editors: what the file may hold in this version, with the `with:` of each runner and target. Keys that do not work yet are left out. */
export function repositoryFileJsonSchema(known: Known): JsonSchema {
  const schema = jsonSchemaOf(repositoryFileSchema(known));
  choose(entryOf(schema, "checks"), "runner", optionsOfRunners(known));
  choose(entryOf(schema, "environments"), "target", known.targets);
  return { title: "Signalbox: .github/signalbox.yml", ...schema };
}

/** The runners that have a `with:`. */
export function optionsOfRunners({ runners }: Known): Known["runners"] {
  return new Map([...runners].filter(([name]) => name !== commandRunner));
}

/** What a value must look like as it is written, before defaults are filled in. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { target: "draft-2020-12", io: "input", unrepresentable: "any", override: leaveOutWhatIsNotYet });
}

/** The schema of one check or environment, which are all alike. */
export function entryOf(schema: JsonSchema, group: string): JsonSchema {
  return object(object(schema.properties?.[group]).additionalProperties);
}

/** A schema in JSON Schema can also be `true` or `false`, and here never is. */
export function object(schema: JsonSchema | boolean | undefined): JsonSchema {
  return typeof schema === "object" ? schema : {};
}

function leaveOutWhatIsNotYet({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: JsonSchema }): void {
  if (!(zodSchema instanceof z.ZodObject)) return;
  for (const key of Object.keys(zodSchema.shape)) if (isNotYet(zodSchema.shape[key])) delete jsonSchema.properties?.[key];
}

/** Which `with:` is right depends on the value of another key. */
function choose(entry: JsonSchema, key: string, options: ReadonlyMap<string, z.ZodType>): void {
  if (options.size === 0) return;
  entry.allOf = [...options].map(([name, schema]) => {
    const { $schema, ...shape } = jsonSchemaOf(schema);
    return {
      if: { properties: { [key]: { const: name } }, required: [key] },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word, never awaited
      then: { properties: { with: shape }, ...(shape.required?.length ? { required: ["with"] } : {}) },
    };
  });
}
