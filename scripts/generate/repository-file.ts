import { repositoryFileJsonSchema } from "../../src/repository-file/json-schema.ts";
import { repositoryFileReference } from "../../src/repository-file/reference.ts";
import type { Known } from "../../src/repository-file/schema.ts";

/** The contents of the pages about `.github/signalbox.yml`, by path from the top folder; `known` is what a server with default settings knows. */
export function repositoryFilePages(known: Known): Readonly<Record<string, string>> {
  return {
    "docs/reference/repository-file.md": repositoryFileReference(known),
    "docs/reference/signalbox.schema.json": `${JSON.stringify(repositoryFileJsonSchema(known), null, 2)}\n`,
  };
}
