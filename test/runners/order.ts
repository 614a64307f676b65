import { guardedFetch } from "../../src/outbound/fetch.ts";
import type { CheckIo, CheckOrder } from "../../src/runners/runner.ts";

export const sha = "4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca";

/** A check called `e2e` of acme/shop, which may reach 127.0.0.1; `more` says what is special about it. */
export function orderWith(more: Partial<CheckOrder> = {}, secrets: Readonly<Record<string, string>> = {}): CheckOrder {
  const link = "https://ci.acme.example/acme/shop/runs/7";
  return {
    name: "e2e",
    attempt: 1,
    commit: {
      owner: "acme",
      name: "shop",
      sha,
      ref: "round-half-up",
      pullRequest: 12,
      cloneUrl: "https://github.com/acme/shop.git",
    },
    trust: "own",
    link,
    facts: {
      SIGNALBOX_REPOSITORY: "acme/shop",
      SIGNALBOX_SHA: sha,
      SIGNALBOX_REF: "round-half-up",
      SIGNALBOX_PULL_REQUEST: "12",
      SIGNALBOX_CHECK: "e2e",
      SIGNALBOX_RUN: link,
    },
    env: {},
    timeout: 60_000,
    checkOut: () => Promise.reject(new Error("This runner needs no check-out")),
    secret: async (name) => secrets[name] ?? null,
    fetch: (url, init = {}) => guardedFetch(url, init, { allow: [{ host: "127.0.0.1", port: null }] }),
    callbacks: {
      open: () => Promise.reject(new Error("This runner needs no callback")),
      arrived: () => Promise.reject(new Error("This runner needs no callback")),
    },
    ...more,
  };
}

export interface RecordingIo extends CheckIo {
  /** The log as people read it: steps with their ends, and the output between. */
  readonly log: readonly string[];
  /** What a restarted server would hand back. */
  kept(): unknown;
  readonly concealed: readonly string[];
}

/** The means of a run, without a run. */
export function recordingIo({
  stop = new AbortController().signal,
  remembered = null,
  diesWhen = async () => false,
}: {
  readonly stop?: AbortSignal;
  readonly remembered?: unknown;
  /** The server dies at the first moment when something is to be remembered and this holds. */
  readonly diesWhen?: () => Promise<boolean>;
} = {}): RecordingIo {
  const log: string[] = [];
  const concealed: string[] = [];
  let unfinished = false;
  let kept: unknown = remembered;
  const add = (line: string) => {
    unfinished = false;
    log.push(line);
  };
  return {
    log,
    stop,
    remembered,
    kept: () => kept,
    concealed,
    conceal: (value) => void concealed.push(value),
    write: async (output) => {
      for (const piece of Buffer.from(output)
        .toString("utf8")
        .match(/[^\n]*\n|[^\n]+$/g) ?? []) {
        const line = unfinished ? `${log.pop()}${piece}` : piece;
        add(line.replace(/\n$/, ""));
        unfinished = !piece.endsWith("\n");
      }
    },
    step: async (name) => {
      add(`> ${name}`);
      return { end: async (exitCode) => add(`< ${exitCode}`) };
    },
    // As the database does it: what cannot be JSON does not survive.
    remember: async (handle) => {
      if (await diesWhen()) throw new Error("the server died");
      kept = JSON.parse(JSON.stringify(handle));
    },
  };
}
