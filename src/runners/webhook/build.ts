import { z } from "zod";
import type { Service } from "../../elsewhere/service.ts";
import { postSigned } from "../../elsewhere/signed-post.ts";
import { oneLine, say } from "../../elsewhere/text.ts";
import { errored } from "../../elsewhere/trouble.ts";
import type { Build, Look } from "../elsewhere/follow.ts";
import type { Steps } from "../elsewhere/steps.ts";
import type { CheckEnding, CheckIo, CheckOrder } from "../runner.ts";
import { type Report, readReport } from "./report.ts";

/** `told`: the other CI has said that it took the run; before that nobody knows. */
const handle = z.object({ ticket: z.string(), callbacks: z.array(z.string()), told: z.boolean() });
type Handle = z.infer<typeof handle>;

interface Means {
  readonly service: Service;
  readonly url: string;
  readonly secret: string;
  readonly order: CheckOrder;
  readonly steps: Steps;
  readonly io: CheckIo;
}

/** One build in a CI of which we know nothing but an address. */
export function webhookBuild({ service, url, secret, order, steps, io }: Means): Build<Handle> {
  let callback: { readonly url: string; readonly key: string } | null = null;

  const post = (message: Readonly<Record<string, unknown>>, doing: string, ticket: string, signal?: AbortSignal) =>
    postSigned(service, {
      url,
      secret,
      message,
      once: `${message.action} ${ticket}`,
      doing,
      ...(signal === undefined ? {} : { signal }),
    });

  async function openCallback(): Promise<{ readonly url: string; readonly key: string }> {
    callback = await order.callbacks.open();
    io.conceal(callback.url);
    return callback;
  }

  /** An address is durable before it is sent, and the same when it is sent again: who took the first and could not say so will call it. */
  async function tell(at: Handle): Promise<Look<Handle>> {
    if (callback === null) {
      const { key } = await openCallback();
      return { handle: { ...at, callbacks: [...at.callbacks, key] }, news: true, ending: null };
    }
    await steps.enter(`Wait for ${service.name}`);
    await post({ action: "run", ...factsOf(order), callback: callback.url }, "run the check", at.ticket);
    return { handle: { ...at, told: true }, news: true, ending: null };
  }

  return {
    handle,
    // There is nothing to look into; the same run may be sent twice.
    find: async () => null,
    async start(ticket) {
      const { key } = await openCallback();
      return { ticket, callbacks: [key], told: false };
    },
    async look(at, stop) {
      if (!at.told) return tell(at);
      const read = readReport(await order.callbacks.arrived(at.callbacks, stop));
      if ("problem" in read) throw errored(`${service.name} called back with something else: ${oneLine(read.problem)}`);
      const { log = "", url: build } = read.report;
      if (log !== "") await say(io, log.replace(/\n$/, ""));
      if (build !== undefined) await say(io, build);
      return { handle: at, news: true, ending: endingOf(read.report, service.name) };
    },
    cancel: ({ ticket }, stop) => post({ action: "cancel", ...factsOf(order) }, "cancel the check", ticket, stop),
  };
}

function factsOf({ name, commit, link, timeout }: CheckOrder) {
  return {
    run: link,
    check: name,
    repository: { owner: commit.owner, name: commit.name, clone_url: commit.cloneUrl },
    sha: commit.sha,
    ref: commit.ref,
    pull_request: commit.pullRequest,
    timeout: Math.round(timeout / 1_000),
  };
}

function endingOf({ result, what }: Report, name: string): CheckEnding {
  switch (result) {
    case "passed":
      return { kind: "passed" };
    case "failed":
      return { kind: "failed", what: what === undefined || what.trim() === "" ? `the build at ${name} failed` : oneLine(what) };
  }
}
