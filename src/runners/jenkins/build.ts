import { z } from "zod";
import { type Pace, pause } from "../../elsewhere/pace.ts";
import { copy, oneLine, say } from "../../elsewhere/text.ts";
import { errored, failed } from "../../elsewhere/trouble.ts";
import type { Build, Look } from "../elsewhere/follow.ts";
import type { Steps } from "../elsewhere/steps.ts";
import type { CheckIo } from "../runner.ts";
import type { JenkinsApi } from "./api.ts";
import { endingOfResult } from "./result.ts";

const handle = z.object({ item: z.int(), number: z.int().nullable() });
type Handle = z.infer<typeof handle>;

interface Means {
  readonly api: JenkinsApi;
  readonly job: string;
  /** What every check is told, and what the file's author adds. */
  readonly facts: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly steps: Steps;
  readonly io: CheckIo;
  readonly pace: Pace;
}

/** Leads people to the attempt, and us to the build. */
const ticketParameter = "SIGNALBOX_RUN";

/** So many looks may come too early, or at a moment when Jenkins has lost sight of it. */
const mostAbsences = 3;

/** One build of a job, from its place in Jenkins' queue to its result. */
export function jenkinsBuild({ api, job, facts, parameters, steps, io, pace }: Means): Build<Handle> {
  let why = "";
  let absences = 0;
  /** Where the console goes on, and how much of what comes then is written already. */
  let offset = 0;
  let written = 0;

  async function lookAtQueue(at: Handle, stop: AbortSignal): Promise<Look<Handle>> {
    const found = await api.queueItem(at.item, stop);
    if (found?.cancelled === true) throw errored(`${job} was cancelled in Jenkins' queue`, "Run it again");
    const number = found === null ? await api.buildOfItem(at.item, stop) : (found.executable?.number ?? null);
    if (number !== null) {
      await steps.enter(`${job} #${number}`);
      if (found?.executable?.url) await say(io, oneLine(found.executable.url, 500));
      absences = 0;
      return { handle: { ...at, number }, news: true, ending: null };
    }
    if (found === null) countAbsence(`Jenkins does not know the queue item of ${job} any more`);
    const news = found !== null && found.why !== null && found.why !== why;
    if (news) await say(io, oneLine(found.why ?? ""));
    why = found?.why ?? why;
    return { handle: at, news, ending: null };
  }

  async function lookAtBuild(at: Handle, number: number, stop: AbortSignal): Promise<Look<Handle>> {
    // The state first: when it says that the build has ended, the console that is read after it is complete.
    const state = await api.buildState(number, stop);
    if (state === null) {
      countAbsence(`${job} #${number} does not exist in Jenkins any more`);
      return { handle: at, news: false, ending: null };
    }
    absences = 0;
    const console = await readConsole(number, stop);
    const hasEnded = !state.building && state.result !== null && !(console.more && console.news);
    return { handle: at, news: console.news, ending: hasEnded ? endingOfResult(state.result ?? "", `${job} #${number}`) : null };
  }

  async function readConsole(number: number, stop: AbortSignal): Promise<{ readonly more: boolean; readonly news: boolean }> {
    const response = await api.console(number, offset, stop);
    if (!response.ok) return { more: false, news: false };
    let news = false;
    await copy("Jenkins", response, written, io, (bytes) => {
      written += bytes;
      news = true;
    });
    offset = Number(response.headers.get("x-text-size") ?? offset);
    written = 0;
    return { more: response.headers.get("x-more-data") === "true", news };
  }

  function countAbsence(what: string): void {
    absences += 1;
    if (absences >= mostAbsences) throw errored(what, "Run it again");
  }

  return {
    handle,
    find: (ticket, stop) => api.findBuild(ticketParameter, ticket, stop),
    async start(ticket, stop) {
      await steps.enter(`Wait for ${job} in Jenkins`);
      const { buildable, parameters: declared } = await api.job(stop);
      if (!buildable) throw errored(`the job ${job} is disabled in Jenkins`, "Enable it there");
      const unknown = Object.keys(parameters).filter((name) => declared?.includes(name) !== true);
      if (unknown.length > 0) throw failed(`with.parameters: the job ${job} does not declare ${unknown.join(", ")}`);
      if (declared?.includes("SIGNALBOX_SHA") !== true) {
        await say(io, `Warning: ${job} does not declare the parameter SIGNALBOX_SHA, so Jenkins decides which commit it builds`);
      }
      const sent = { ...parameters, ...facts, [ticketParameter]: ticket };
      return { item: await api.build(declared === null ? null : sent, stop), number: null };
    },
    look: (at, stop) => (at.number === null ? lookAtQueue(at, stop) : lookAtBuild(at, at.number, stop)),
    async cancel({ item, number: known }, stop) {
      let number = known;
      while (number === null) {
        const found = await api.queueItem(item, stop);
        if (found?.cancelled === true) return;
        number = found === null ? await api.buildOfItem(item, stop) : (found.executable?.number ?? null);
        if (found === null && number === null) return;
        if (number !== null) break;
        await api.cancelItem(item, stop);
      }
      await api.stopBuild(number, stop);
      while ((await api.buildState(number, stop))?.building === true) await pause(pace.first, stop);
    },
  };
}
