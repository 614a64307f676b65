import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type AnyTarget, type DeployTarget, defineTarget } from "./target.ts";

/**
 * Loads the targets of npm packages, each looked for in one folder after the other, and adds them to ours. Rejects with one line for each
 * package that is not as it should be: a server that lacks a target would refuse the files that name it.
 */
export async function withPlugIns(
  ours: ReadonlyMap<string, AnyTarget>,
  packages: readonly string[],
  folders: readonly string[],
): Promise<ReadonlyMap<string, AnyTarget>> {
  const targets = new Map(ours);
  const problems: string[] = [];
  for (const name of packages) {
    try {
      const target = await load(name, folders);
      if (targets.has(target.name)) throw new Wrong(`is a target called "${target.name}", and there is one already; rename it`);
      targets.set(target.name, target);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      problems.push(`PLUGINS: "${name}" ${error.message}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join("\n  "));
  return targets;
}

/** What is wrong with a package; completes a sentence that begins with its name. */
class Wrong extends Error {}

async function load(name: string, folders: readonly string[]): Promise<AnyTarget> {
  const module: unknown = await import(pathToFileURL(entryOf(name, folders)).href).catch((error) => {
    throw new Wrong(`cannot be loaded: ${firstLine(error)}`, { cause: error });
  });
  const define = Object(module).default;
  if (typeof define !== "function") {
    throw new Wrong(
      `has no default export that is a function; write: export default ({ defineTarget, z }) => defineTarget({ … })`,
    );
  }
  const made = new WeakSet<object>();
  let target: unknown;
  try {
    target = await define({ z, defineTarget: (declaration: unknown) => remembering(made, defineTarget(checked(declaration))) });
  } catch (error) {
    throw error instanceof Wrong ? error : new Wrong(`fails when it is called: ${firstLine(error)}`, { cause: error });
  }
  if (isAmong(made, target)) return target;
  throw new Wrong("does not return what defineTarget gave it; its function must return that");
}

function entryOf(name: string, folders: readonly string[]): string {
  for (const folder of folders) {
    try {
      return createRequire(join(folder, "package.json")).resolve(name);
    } catch (error) {
      const code = Error.isError(error) && "code" in error ? error.code : "";
      if (code === "ERR_PACKAGE_PATH_NOT_EXPORTED")
        throw new Wrong('does not say what it exports; write "exports": "./index.js" into its package.json', { cause: error });
      // With a path it is installed, and the file that it names is not there.
      if (code !== "MODULE_NOT_FOUND" || Object.hasOwn(Object(error), "path"))
        throw new Wrong(`cannot be found: ${firstLine(error)}`, { cause: error });
    }
  }
  throw new Wrong(`is not installed; call npm install ${name} in ${folders.join(" or in ")}`);
}

const deed = z.custom<(...words: readonly unknown[]) => unknown>((given) => typeof given === "function", {
  error: "must be a function",
});
const schema = z.custom<z.ZodType>((given) => given instanceof z.ZodType, {
  error: "must be a schema, made with the z that is handed in",
});
const declared = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,49}$/, { error: "must have small letters, digits and hyphens, a letter first" }),
  options: schema,
  deploy: deed,
  restore: deed.optional(),
  resume: deed.optional(),
  remove: deed.optional(),
  previewOptions: schema.optional(),
});

/** Plain JavaScript has no types: what a plug-in declares is looked through once. */
function checked(declaration: unknown): DeployTarget<unknown> {
  const { success, error } = declared.safeParse(declaration);
  if (!success) {
    const problems = error.issues.map(({ path, message }) => `${path.length === 0 ? "" : `${path.join(".")} `}${message}`);
    throw new Wrong(`declares a target that cannot be used: ${problems.join("; ")}`);
  }
  const target = declaration as DeployTarget<unknown>;
  try {
    target.options.safeParse({});
  } catch (cause) {
    throw new Wrong(`has options that cannot be checked at once: ${firstLine(cause)}`, { cause });
  }
  return target;
}

function remembering<Thing extends object>(made: WeakSet<object>, thing: Thing): Thing {
  made.add(thing);
  return thing;
}

function isAmong(made: WeakSet<object>, thing: unknown): thing is AnyTarget {
  return typeof thing === "object" && thing !== null && made.has(thing);
}

function firstLine(error: unknown): string {
  return (Error.isError(error) ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
