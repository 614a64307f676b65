import { command } from "./command.ts";
import { directory } from "./directory/directory.ts";
import { ssh } from "./ssh/ssh.ts";
import type { AnyTarget } from "./target.ts";

/** Every target, by the name that a repository's file gives it. */
export const targets: ReadonlyMap<string, AnyTarget> = new Map([directory, command, ssh].map((target) => [target.name, target]));
