import { codedeploy } from "./codedeploy/codedeploy.ts";
import { command } from "./command.ts";
import { directory } from "./directory/directory.ts";
import { heroku } from "./heroku/heroku.ts";
import { ssh } from "./ssh/ssh.ts";
import type { AnyTarget } from "./target.ts";
import { webhook } from "./webhook/webhook.ts";

/** Every target of ours, by the name that a repository's file gives it. */
export const targets: ReadonlyMap<string, AnyTarget> = new Map(
  [directory, command, ssh, heroku(), codedeploy(), webhook()].map((target) => [target.name, target]),
);
