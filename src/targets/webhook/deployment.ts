import { z } from "zod";
import type { Look, Work } from "../../elsewhere/follow.ts";
import type { Service } from "../../elsewhere/service.ts";
import { postSigned } from "../../elsewhere/signed-post.ts";
import { oneLine, say } from "../../elsewhere/text.ts";
import { errored } from "../../elsewhere/trouble.ts";
import type { Io } from "../../process/io.ts";
import type { Deployed, DeployOrder } from "../target.ts";
import { type Report, readReport } from "./report.ts";

/** What is put back by a rollback, as its receiver told it. */
export const release = z.strictObject({ release: z.unknown() });

/** What finds a deployment again. Addresses are secrets, so only their keys are in it. */
export const handle = z.object({
  callbacks: z.array(z.string()).min(1),
  /** False while it is not known whether the receiver has been told. */
  sent: z.boolean(),
  rollback: release.nullable(),
});
export type Handle = z.infer<typeof handle>;

interface Means {
  readonly service: Service;
  readonly url: string;
  readonly secret: string;
  readonly rollback: Handle["rollback"];
  readonly order: DeployOrder;
  readonly io: Pick<Io, "write">;
}

/** One deployment by a receiver of which we know nothing but an address. */
export function webhookDeployment({ service, url, secret, rollback, order, io }: Means): Work<Handle, Deployed> {
  const { callbacks } = order;
  /** Of the newest callback; nobody can tell it again after a restart. */
  let address: string | null = null;
  let isAsked = false;

  async function open(before: readonly string[]): Promise<Handle> {
    const callback = await callbacks.open();
    order.conceal(callback.url);
    address = callback.url;
    return { callbacks: [...before, callback.key], sent: false, rollback };
  }

  const post = (message: Readonly<Record<string, unknown>>, doing: string, signal?: AbortSignal) =>
    postSigned(service, {
      url,
      secret,
      message: { ...message, ...factsOf(order) },
      once: `${message.action} ${order.run}`,
      doing,
      ...(signal === undefined ? {} : { signal }),
    });

  async function send(at: Handle): Promise<Look<Handle, Deployed>> {
    if (address === null) {
      const heard = await callbacks.arrived(at.callbacks, AbortSignal.abort("not yet")).catch(() => null);
      if (heard !== null) return { handle: { ...at, sent: true }, news: true, ending: null };
      return { handle: await open(at.callbacks), news: true, ending: null };
    }
    const asked = rollback === null ? { action: "deploy" } : { action: "rollback", ...rollback };
    await say(io, `Asking ${service.name} to deploy ${order.sha.slice(0, 7)}`);
    isAsked = true;
    await post({ ...asked, callback: address }, "deploy");
    return { handle: { ...at, sent: true }, news: true, ending: null };
  }

  return {
    start: () => open([]),
    async look(at, stop) {
      if (!at.sent) return send(at);
      const read = readReport(await callbacks.arrived(at.callbacks, stop));
      if ("problem" in read) throw errored(`${service.name} called back with something else: ${oneLine(read.problem)}`);
      const { log = "" } = read.report;
      if (log !== "") await say(io, log.replace(/\n$/, ""));
      return { handle: at, news: true, ending: endingOf(read.report, service.name, at.rollback) };
    },
    async cancel(at, stop) {
      // Before a restart it may have been asked, too.
      if (!at.sent && !isAsked && address !== null) return;
      await post({ action: "cancel" }, "cancel the deployment", stop);
      await callbacks.arrived(at.callbacks, stop);
    },
  };
}

function factsOf({ run, environment, repository: { owner, name, cloneUrl }, sha, ref }: DeployOrder) {
  return { run, environment, repository: { owner, name, clone_url: cloneUrl }, sha, ref };
}

function endingOf({ result, what = "", url, release, live }: Report, name: string, rollback: Handle["rollback"]): Deployed {
  switch (result) {
    case "passed": {
      const told = release === undefined ? null : { release };
      return { kind: "live", release: rollback ?? told, ...(url === undefined ? {} : { url }) };
    }
    case "failed":
      return {
        kind: "refused",
        reason: what.trim() === "" ? `the deployment by ${name} failed` : oneLine(what),
        live: live ?? "unknown",
      };
  }
}
