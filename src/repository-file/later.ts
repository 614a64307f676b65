import { z } from "zod";

/** The value of a key of the contract that does not work yet: present, it is refused. To switch the key on, put its schema in this place. */
export function notYet() {
  return z.never({ error: `${notAvailable}; remove it` }).optional();
}

/** True for what `notYet` returns. */
export function isNotYet(schema: unknown): boolean {
  return schema instanceof z.ZodOptional && schema.unwrap() instanceof z.ZodNever;
}

export const notAvailable = "not available yet in this version of Signalbox";

/** Names that the contract promises. One that is handed in as known works, so nothing changes here when it is built. */
export const promised = {
  runners: ["local", "jenkins", "travis", "webhook"],
  targets: ["directory", "command", "ssh", "heroku", "codedeploy", "webhook"],
  triggers: ["merge", "push", "pull_request", "manual"],
};
