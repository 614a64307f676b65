import { z } from "zod";
import { local } from "./local/local.ts";
import type { AnyRunner } from "./runner.ts";

/** Every runner, by the name that a repository's file gives it. */
export const runners: ReadonlyMap<string, AnyRunner> = new Map([[local.name, local]]);

/** What `with:` may say in a repository's file; nothing for `local`, whose options are the check's `run:`. */
export const runnerOptions: ReadonlyMap<string, z.ZodType> = new Map([[local.name, z.strictObject({})]]);
