import { type Logger, stdSerializers } from "pino";
import type { Mask } from "../secrets/mask.ts";

/**
 * The server's log for one run: errors go into it without the run's secrets, which whoever threw them may have put into a message. Of what else
 * hangs on an error only words and numbers are kept.
 */
export function maskedLog(log: Logger, mask: Mask): Logger {
  const err = (error: unknown) => {
    if (!Error.isError(error)) return mask.text(String(error));
    const plain = Object.entries(stdSerializers.err(error)).filter(([, value]) => typeof value !== "object");
    return Object.fromEntries(plain.map(([key, value]) => [key, typeof value === "string" ? mask.text(value) : value]));
  };
  return log.child({}, { serializers: { err } });
}
