import { z } from "zod";
import { jenkins } from "./jenkins/jenkins.ts";
import { local } from "./local/local.ts";
import type { AnyRunner } from "./runner.ts";
import { travis } from "./travis/travis.ts";
import { webhook } from "./webhook/webhook.ts";

const elsewhere = [jenkins(), travis(), webhook()];

/** Every runner, by the name that a repository's file gives it. */
export const runners: ReadonlyMap<string, AnyRunner> = new Map([local, ...elsewhere].map((runner) => [runner.name, runner]));

/** What `with:` may say in a repository's file; nothing for `local`, whose options are the check's `run:`. */
export const runnerOptions: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  [local.name, z.strictObject({})],
  ...elsewhere.map((runner) => [runner.name, runner.options] as const),
]);
