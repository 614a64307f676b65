import { z } from "zod";
import type { Path, Problem } from "./mistake.ts";
import { list } from "./nearest.ts";
import type { Chat, ChatEvent, Options } from "./repository-file.ts";

/** What a chat can be told of. */
export const chatEvents = [
  "failure",
  "recovery",
  "waiting",
  "started",
  "deployed",
  "rolled_back",
] as const satisfies readonly ChatEvent[];

const usual: readonly ChatEvent[] = ["failure", "recovery", "waiting", "deployed", "rolled_back"];

/** The value of `notify`. `services` are the keys that name one, with their descriptions. */
export function notify(services: ReadonlyMap<string, string>) {
  const addresses = Object.fromEntries(
    [...services].map(([name, description]) => [name, secretName().optional().describe(description)]),
  );
  return z
    .array(
      z
        .strictObject({
          ...addresses,
          secret: secretName()
            .optional()
            .describe(
              "For `webhook` only: the name of a secret that signs the POST, as the runner `webhook` does. `X-Signalbox-Signature` holds `sha256=` and the HMAC SHA-256, in hexadecimal digits, of `X-Signalbox-Timestamp`, a full stop and the body.",
            ),
          events: z
            .array(z.enum(chatEvents))
            .min(1)
            .prefault([...usual])
            .describe(
              "Of what: `failure`, `recovery` (the first green after a red), `waiting` (for an approval), `started`, `deployed`, `rolled_back`. A rollback counts as `deployed` too.",
            ),
        })
        .transform((given): Chat => chatOf(given, services)),
    )
    .min(1)
    .max(10);
}

/** An entry names one chat, and only the signed webhook has a key to sign with. */
export function chatProblems(path: Path, entry: Options, services: ReadonlyMap<string, string>): readonly Problem[] {
  const named = [...services.keys()].filter((name) => entry[name] !== undefined);
  if (named.length !== 1) return [{ path, problem: `must name one of ${list([...services.keys()], "or")}` }];
  if (named[0] === "webhook" && entry.secret === undefined)
    return [{ path: [...path, "secret"], problem: "is missing; it must be the name of a secret, which signs the POST" }];
  if (named[0] !== "webhook" && entry.secret !== undefined)
    return [{ path: [...path, "secret"], problem: "is only for webhook; remove it" }];
  return [];
}

function chatOf(given: Options & { readonly events: readonly ChatEvent[] }, services: ReadonlyMap<string, string>): Chat {
  const service = [...services.keys()].find((name) => given[name] !== undefined) ?? "";
  return {
    service,
    address: String(given[service]),
    key: given.secret === undefined ? null : String(given.secret),
    events: given.events,
  };
}

function secretName() {
  return z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, {
    error: "is not the name of a secret; write its name here, and set its value with bin/signalbox secret set",
  });
}
