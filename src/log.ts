import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

/** The server's log, on standard output: one JSON object a line, or for people's eyes. Secrets and headers are never handed to it. */
export function createLog({ level, format }: { readonly level: string; readonly format: "json" | "pretty" }): Logger {
  const options = { level, base: null };
  if (format === "json") return pino(options);
  return pino(options, pretty({ colorize: process.stdout.isTTY, translateTime: "SYS:HH:MM:ss", sync: true }));
}
