import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { knownWith } from "../src/known.ts";
import { envExample } from "./generate/env-example.ts";
import { repositoryFilePages } from "./generate/repository-file.ts";

const home = join(import.meta.dirname, "..");

/** Every generated file that people read, by its path from the top folder. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return { ".env.example": envExample(), ...repositoryFilePages(knownWith()) };
}

/** The paths of those whose content on disk is another one. */
export function staleFiles(): readonly string[] {
  return Object.entries(generatedFiles()).flatMap(([path, content]) => (read(path) === content ? [] : [path]));
}

/** `npm run generate`: writes what is stale. */
export function generate(): void {
  const files = generatedFiles();
  for (const path of staleFiles()) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), files[path] ?? "");
    console.log(`wrote ${path}`);
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(join(home, path), "utf8");
  } catch {
    return null;
  }
}

if (import.meta.main) generate();
