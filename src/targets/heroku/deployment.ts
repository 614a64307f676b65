import type { Look, Work } from "../../elsewhere/follow.ts";
import { type Pace, pause } from "../../elsewhere/pace.ts";
import { oneLine, say } from "../../elsewhere/text.ts";
import type { Io } from "../../process/io.ts";
import { NothingBegun } from "../elsewhere/carry-out.ts";
import type { Tarball } from "../release/tarball.ts";
import type { Deployed, DeployOrder } from "../target.ts";
import type { Build, HerokuApi, Release } from "./api.ts";
import type { Handle, Remembered } from "./handle.ts";
import { outputOf } from "./output.ts";
import { promotionFor } from "./promotion.ts";

type Step<Name extends Handle["step"]> = Extract<Handle, { step: Name }>;

interface Means {
  readonly api: HerokuApi;
  readonly app: string;
  readonly order: DeployOrder;
  /** Packs what is to be built; null where there is no checkout. */
  readonly pack: (() => Promise<Tarball>) | null;
  /** The release that is to be put back; null for a commit that is to be made live. */
  readonly to: Remembered | null;
  readonly io: Pick<Io, "write">;
  readonly pace: Pace;
}

/** One deployment to an app, from the wish to the end of its release phase. */
export function herokuDeployment({ api, app, order, pack, to, io, pace }: Means): Work<Handle, Deployed> {
  // By it the build is found again; Heroku shows its first digits as the release's description.
  const version = `${order.sha} ${order.run}`;
  const output = outputOf(api, io, 4 * pace.request);
  let said = "";

  async function sayOnce(text: string): Promise<void> {
    if (said !== text) await say(io, text);
    said = text;
  }
  const went = (handle: Handle): Look<Handle, Deployed> => ({ handle, news: true, ending: null });
  const ended = (handle: Handle, ending: Deployed): Look<Handle, Deployed> => ({ handle, news: true, ending });
  const failed = (handle: Handle, reason: string) => ended(handle, { kind: "refused", reason, live: "unchanged" });

  async function ownBuild(stop: AbortSignal): Promise<{ readonly own: Build | undefined; readonly other: Build | undefined }> {
    const builds = await api.builds(stop);
    const isOwn = (build: Build) => build.source_blob?.version === version;
    return { own: builds.find(isOwn), other: builds.find((build) => build.status === "pending" && !isOwn(build)) };
  }

  async function wantBuild(at: Step<"build wanted">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    const { own, other } = await ownBuild(stop);
    if (own !== undefined) return went({ step: "building", build: own.id });
    if (pack === null) throw new NothingBegun();
    if (other !== undefined) {
      await sayOnce(`Waiting for another build of ${app} that is under way at Heroku`);
      return { handle: at, news: false, ending: null };
    }
    const tarball = await pack();
    await say(io, `Sending ${tarball.amount} to Heroku`);
    const url = await api.sendSource(tarball, stop);
    stop.throwIfAborted();
    return went({ step: "building", build: (await api.createBuild({ url, version, checksum: `SHA256:${tarball.sha256}` })).id });
  }

  async function lookAtBuild(at: Step<"building">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    const before = await api.build(at.build, stop);
    const news = before.output_stream_url ? await output.pour(before.output_stream_url, stop) : false;
    const { status, release } = await api.build(at.build, stop);
    if (status === "failed") return failed(at, `Heroku could not build it: see the log`);
    if (status !== "succeeded" || !release) return { handle: at, news, ending: null };
    return went({ step: "releasing", release: release.id, to: null });
  }

  async function lookAtRelease(at: Step<"releasing">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    const before = await api.release(at.release, stop);
    if (before.output_stream_url) {
      await sayOnce(`Release phase of v${before.version}`);
      await output.pour(before.output_stream_url, stop);
    }
    const release = await api.release(at.release, stop);
    if (release.status === "pending") return { handle: at, news: false, ending: null };
    if (release.status !== "succeeded") return failed(at, `the release phase of v${release.version} failed at Heroku`);
    await say(io, `v${release.version} is live`);
    return ended(at, await liveAs(at.to, release, stop));
  }

  async function liveAs(restored: Remembered | null, release: Release, stop: AbortSignal): Promise<Deployed> {
    const { id, web_url: url } = await api.app(stop);
    const made = { app: id, release: release.id, version: release.version, slug: release.slug?.id ?? null };
    return { kind: "live", release: restored ?? made, ...(url ? { url } : {}) };
  }

  async function newerThan(version: number, is: (release: Release) => boolean, stop: AbortSignal): Promise<Release | undefined> {
    return (await api.releases(app, stop))?.find((release) => release.version > version && is(release));
  }

  async function wantPromotion(at: Step<"promotion wanted">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    const made = await newerThan(at.newest, (release) => release.slug?.id === at.source.slug, stop);
    if (made !== undefined) return went({ step: "releasing", release: made.id, to: null });
    stop.throwIfAborted();
    await say(io, "Promoting the slug of the app before it");
    return went({ step: "promoting", promotion: await api.promote(at) });
  }

  async function lookAtPromotion(at: Step<"promoting">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    const target = await api.promotionTarget(at.promotion, stop);
    if (target?.release) return went({ step: "releasing", release: target.release.id, to: null });
    if (target?.status === "failed")
      return failed(at, `Heroku did not promote it: ${oneLine(target.error_message ?? "it does not say why")}`);
    return { handle: at, news: false, ending: null };
  }

  async function wantRollback(at: Step<"rollback wanted">, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    const says = new RegExp(`\\bv${at.to.version}\\b`);
    const made = await newerThan(at.newest, ({ description }) => says.test(description ?? ""), stop);
    if (made !== undefined) return went({ step: "releasing", release: made.id, to: at.to });
    stop.throwIfAborted();
    await say(io, `Rolling back to v${at.to.version}`);
    const release = await api.rollBack(at.to.release);
    if (release === null) return failed(at, `Heroku cannot go back to v${at.to.version} any more; deploy its commit again`);
    return went({ step: "releasing", release: release.id, to: at.to });
  }

  function look(at: Handle, stop: AbortSignal): Promise<Look<Handle, Deployed>> {
    switch (at.step) {
      case "build wanted":
        return wantBuild(at, stop);
      case "building":
        return lookAtBuild(at, stop);
      case "promotion wanted":
        return wantPromotion(at, stop);
      case "promoting":
        return lookAtPromotion(at, stop);
      case "rollback wanted":
        return wantRollback(at, stop);
      case "releasing":
        return lookAtRelease(at, stop);
    }
  }

  /** What has become a release cannot be called back: it is waited for, and said. */
  async function waitFor(at: Handle, stop: AbortSignal): Promise<void> {
    for (let now = at; ; await pause(pace.first, stop)) {
      const { handle, ending } = await look(now, stop);
      if (ending?.kind === "live") await say(io, "It went live before it could be stopped; roll it back if it must not be");
      if (ending !== null) return;
      now = handle;
    }
  }

  async function cancelBuild(id: string, stop: AbortSignal): Promise<void> {
    await api.cancelBuild(id, stop);
    for (;;) {
      const { status } = await api.build(id, stop);
      if (status === "succeeded") return waitFor({ step: "building", build: id }, stop);
      if (status !== "pending") return;
      await pause(pace.first, stop);
    }
  }

  return {
    async start(stop) {
      await api.app(stop);
      const newest = async () => (await api.releases(app, stop))?.[0]?.version ?? 0;
      if (to !== null) return { step: "rollback wanted", newest: await newest(), to };
      const promotion = await promotionFor(api, order, app, stop);
      if (typeof promotion === "string") await say(io, `It is built, not promoted: ${promotion}`);
      return promotion === null || typeof promotion === "string" ? { step: "build wanted" } : promotion;
    },
    look,
    async cancel(at, stop) {
      switch (at.step) {
        case "build wanted": {
          const { own } = await ownBuild(stop);
          return own === undefined ? undefined : cancelBuild(own.id, stop);
        }
        case "building":
          return cancelBuild(at.build, stop);
        case "promotion wanted":
        case "rollback wanted": {
          const isOurs = ({ slug, description }: Release) =>
            at.step === "promotion wanted"
              ? slug?.id === at.source.slug
              : new RegExp(`\\bv${at.to.version}\\b`).test(description ?? "");
          const made = await newerThan(at.newest, isOurs, stop);
          return made === undefined ? undefined : waitFor({ step: "releasing", release: made.id, to: null }, stop);
        }
        case "promoting":
        case "releasing":
          return waitFor(at, stop);
      }
    },
  };
}
