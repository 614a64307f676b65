import { z } from "zod";
import { type Pace, pause } from "../../elsewhere/pace.ts";
import { copy, oneLine, say } from "../../elsewhere/text.ts";
import { errored, failed, PassingTrouble } from "../../elsewhere/trouble.ts";
import type { Build, Look } from "../elsewhere/follow.ts";
import type { Steps } from "../elsewhere/steps.ts";
import type { CheckEnding, CheckIo, Commit } from "../runner.ts";
import type { Job, RequestState, TravisApi } from "./api.ts";

const handle = z.object({ request: z.int(), build: z.int().nullable() });
type Handle = z.infer<typeof handle>;

interface Means {
  readonly api: TravisApi;
  readonly commit: Commit;
  /** The check's name. */
  readonly name: string;
  readonly steps: Steps;
  readonly io: CheckIo;
  readonly pace: Pace;
}

/** One build on Travis CI, from the request for it to its state. */
export function travisBuild({ api, commit, name, steps, io, pace }: Means): Build<Handle> {
  const messageOf = (ticket: string) => `Signalbox: ${name} (${ticket})`;
  let state = "";
  const shown = new Set<number>();
  /** How much of a log is written already, should it break off. */
  const written = new Map<number, number>();

  async function lookAtRequest(at: Handle, stop: AbortSignal): Promise<Look<Handle>> {
    const found = await api.requestState(at.request, stop);
    if (found === null) throw new PassingTrouble("Travis CI does not know the request yet");
    const build = buildOf(found);
    return { handle: build === null ? at : { ...at, build }, news: build !== null, ending: null };
  }

  async function lookAtBuild(at: Handle, id: number, stop: AbortSignal): Promise<Look<Handle>> {
    const found = await api.buildState(id, stop);
    if (found === null) throw errored("the build does not exist on Travis CI any more", "Run it again");
    const news = found.state !== state;
    if (state === "") await steps.enter(`Travis CI build ${oneLine(found.number)}`);
    state = found.state;
    for (const job of await api.jobs(id, stop)) {
      if (hasEnded(job.state) && !shown.has(job.id)) await showLog(job, stop);
    }
    return { handle: at, news, ending: endingOfState(found.state, `Travis CI build ${oneLine(found.number)}`) };
  }

  async function showLog(job: Job, stop: AbortSignal): Promise<void> {
    const response = await api.log(job.id, stop);
    const before = written.get(job.id);
    if (before === undefined) {
      await steps.enter(`Job ${oneLine(job.number)}`);
      written.set(job.id, 0);
    }
    if (response.ok) {
      await copy("Travis CI", response, before ?? 0, io, (bytes) => written.set(job.id, (written.get(job.id) ?? 0) + bytes));
    } else {
      await response.body?.cancel();
      await say(io, `Travis CI does not show this log (${response.status})`);
    }
    shown.add(job.id);
  }

  return {
    handle,
    async find(ticket, stop) {
      const request = await api.findRequest(commit.sha, messageOf(ticket), stop);
      return request === null ? null : { request, build: null };
    },
    async start(ticket) {
      await steps.enter("Ask Travis CI for a build");
      const { sha, ref } = commit;
      const branch = ref === null ? {} : { branch: ref };
      return { request: await api.request({ ...branch, sha, message: messageOf(ticket) }), build: null };
    },
    look: (at, stop) => (at.build === null ? lookAtRequest(at, stop) : lookAtBuild(at, at.build, stop)),
    async cancel({ request, build: known }, stop) {
      let build = known;
      while (build === null) {
        const found = await api.requestState(request, stop);
        build = found === null ? null : buildOf(found);
        if (build === null) await pause(pace.first, stop);
      }
      await api.cancel(build, stop);
      for (;;) {
        const found = await api.buildState(build, stop);
        if (found === null || hasEnded(found.state)) return;
        await pause(pace.first, stop);
      }
    },
  };
}

/** `null` while Travis CI thinks about it. */
function buildOf({ builds, state, result, message }: RequestState): number | null {
  const [build] = builds;
  if (build !== undefined) return build.id;
  if (result !== "rejected" && state !== "rejected" && state !== "finished") return null;
  throw failed(`Travis CI makes no build of this commit${message ? `: ${oneLine(message)}` : ""}`);
}

function hasEnded(state: string): boolean {
  return ["passed", "failed", "errored", "canceled"].includes(state);
}

/** `errored` is a command that failed before the script: https://docs.travis-ci.com/user/job-lifecycle/#breaking-the-build */
function endingOfState(state: string, build: string): CheckEnding | null {
  switch (state) {
    case "passed":
      return { kind: "passed" };
    case "failed":
      return { kind: "failed", what: `${build} failed` };
    case "errored":
      return { kind: "failed", what: `${build} broke before its script` };
    case "canceled":
      return { kind: "errored", what: `${build} was cancelled on Travis CI`, fix: "Run it again" };
    default:
      return null;
  }
}
