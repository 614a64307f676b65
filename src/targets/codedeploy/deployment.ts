import { createHash } from "node:crypto";
import { z } from "zod";
import type { Look, Work } from "../../elsewhere/follow.ts";
import { type Pace, pause } from "../../elsewhere/pace.ts";
import { oneLine, say } from "../../elsewhere/text.ts";
import type { Io } from "../../process/io.ts";
import { NothingBegun } from "../elsewhere/carry-out.ts";
import type { Tarball } from "../release/tarball.ts";
import type { Deployed, DeployOrder } from "../target.ts";
import type { Bundle, CodeDeployApi } from "./api.ts";
import type { CodeDeployOptions } from "./options.ts";
import { GroupIsBusy } from "./trouble.ts";

const bundle = z.strictObject({ bucket: z.string(), key: z.string(), eTag: z.string() });

/** A revision that was live. */
export const revision = z.strictObject({ application: z.string(), group: z.string(), bundle });
export type Revision = z.infer<typeof revision>;

/** How far a deployment has come; `since` says from when on it may have been created, in milliseconds since 1970. */
export const handle = z.discriminatedUnion("step", [
  z.object({ step: z.literal("wanted"), since: z.number(), to: revision.nullable() }),
  z.object({ step: z.literal("deploying"), deployment: z.string(), bundle: bundle.nullable() }),
  z.object({ step: z.literal("rolling back"), deployment: z.string(), reason: z.string() }),
]);
export type Handle = z.infer<typeof handle>;
type Step<Name extends Handle["step"]> = Extract<Handle, { step: Name }>;

interface Means {
  readonly api: CodeDeployApi;
  readonly options: CodeDeployOptions;
  readonly order: DeployOrder;
  /** Null where there is no checkout. */
  readonly pack: (() => Promise<Tarball>) | null;
  readonly to: Revision | null;
  readonly io: Pick<Io, "write">;
  readonly pace: Pace;
}

/** So long our clocks may differ from Amazon's, in milliseconds. */
const skew = 600_000;
/** A rollback of CodeDeploy's own shows a moment after the failure. */
const mostLooksForRollback = 3;

/** One deployment by a deployment group, from the bundle to its last life-cycle event. */
export function codeDeployment({ api, options, order, pack, to, io, pace }: Means): Work<Handle, Deployed> {
  const name = createHash("sha256").update(order.run).digest("hex").slice(0, 12);
  const { owner, name: repository } = order.repository;
  const key = `${options.prefix}${owner}/${repository}/${order.environment}/${order.sha}-${name}.tgz`;
  const seen = new Set<string>();
  let uploaded: Bundle | null = null;
  let isSaid = false;
  let looksForRollback = 0;

  const went = (now: Handle): Look<Handle, Deployed> => ({ handle: now, news: true, ending: null });
  const ended = (at: Handle, ending: Deployed): Look<Handle, Deployed> => ({ handle: at, news: true, ending });

  async function bundleFor(restored: Revision | null, stop: AbortSignal): Promise<Bundle | string> {
    if (restored !== null) {
      if (await api.hasBundle(restored.bundle, stop)) return restored.bundle;
      return "its bundle is not in S3 any more; deploy its commit again";
    }
    if (uploaded === null) {
      if (pack === null) throw new NothingBegun();
      const tarball = await pack();
      await say(io, `Sending ${tarball.amount} to S3`);
      uploaded = await api.upload(key, tarball, stop);
    }
    return uploaded;
  }

  async function create(at: Step<"wanted">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    const found = await api.find(order.run, new Date(at.since - skew), stop);
    if (found !== null) return went({ step: "deploying", deployment: found, bundle: at.to?.bundle ?? null });
    const wanted = await bundleFor(at.to, stop);
    if (typeof wanted === "string") return ended(at, { kind: "refused", reason: wanted, live: "unchanged" });
    stop.throwIfAborted();
    try {
      const deployment = await api.create(wanted, order.run);
      await say(io, `${deployment} is under way in ${options.group}`);
      return went({ step: "deploying", deployment, bundle: wanted });
    } catch (error) {
      if (!(error instanceof GroupIsBusy)) throw error;
      if (!isSaid) await say(io, `Waiting for another deployment in ${options.group}`);
      isSaid = true;
      return { handle: at, news: false, ending: null };
    }
  }

  /** Each event once in each state; true when one was new. */
  async function show(deployment: string, stop: AbortSignal): Promise<boolean> {
    const before = seen.size;
    for (const { where, event, status, says } of await api.happenings(deployment, stop)) {
      const line = `${where}: ${event} ${status}`;
      if (status === "Pending" || seen.has(line)) continue;
      seen.add(line);
      await say(io, oneLine(line, 500));
      if (status === "Failed" && says !== "") await say(io, says.trimEnd());
    }
    return seen.size > before;
  }

  async function lookAt(at: Step<"deploying">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    // The state first: what has happened until then is shown when it says that this is the end.
    const { status, problem, rollback } = await api.state(at.deployment, stop);
    const news = await show(at.deployment, stop);
    if (status === "Succeeded") return ended(at, live(at.bundle));
    if (status !== "Failed" && status !== "Stopped") return { handle: at, news, ending: null };
    const reason = `CodeDeploy: ${problem === null ? `${at.deployment} ended as ${status}` : oneLine(problem)}`;
    if (rollback !== null) {
      await say(io, `${reason}\nCodeDeploy rolls back by itself, with ${rollback}`);
      return went({ step: "rolling back", deployment: rollback, reason });
    }
    looksForRollback += 1;
    if (looksForRollback < mostLooksForRollback) return { handle: at, news, ending: null };
    return ended(at, { kind: "refused", reason, live: "unknown" });
  }

  function live(made: Bundle | null): Deployed {
    const own = made ?? { bucket: options.bucket, key, eTag: "" };
    const release: Revision = to ?? { application: options.application, group: options.group, bundle: own };
    return { kind: "live", release };
  }

  async function lookAtRollback(at: Step<"rolling back">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    const { status } = await api.state(at.deployment, stop);
    const news = await show(at.deployment, stop);
    if (status === "Succeeded") return ended(at, { kind: "refused", reason: at.reason, live: "unchanged" });
    if (status === "Failed" || status === "Stopped") return ended(at, { kind: "refused", reason: at.reason, live: "unknown" });
    return { handle: at, news, ending: null };
  }

  function look(at: Handle, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    switch (at.step) {
      case "wanted":
        return create(at, stop);
      case "deploying":
        return lookAt(at, stop);
      case "rolling back":
        return lookAtRollback(at, stop);
    }
  }

  /** Until nothing of it works any more, its rollback included. */
  async function waitFor(at: Handle, stop: AbortSignal): Promise<void> {
    for (let now = at; ; await pause(pace.first, stop)) {
      const { handle: next, ending } = await look(now, stop);
      if (ending?.kind === "live") await say(io, "It went live before it could be stopped; roll it back if it must not be");
      if (ending !== null) return;
      now = next;
    }
  }

  return {
    start: async () => ({ step: "wanted", since: Date.now(), to }),
    look,
    async cancel(at, stop) {
      if (at.step === "rolling back") return waitFor(at, stop);
      const deployment = at.step === "deploying" ? at.deployment : await api.find(order.run, new Date(at.since - skew), stop);
      if (deployment === null) return;
      await api.stop(deployment, stop);
      return waitFor({ step: "deploying", deployment, bundle: null }, stop);
    },
  };
}
