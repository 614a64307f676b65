import { z } from "zod";
import { baseOf } from "../../elsewhere/options.ts";
import { ask, type Question, readJson, type Service } from "../../elsewhere/service.ts";
import { failed } from "../../elsewhere/trouble.ts";

/** What of Travis CI's API 3 is used: https://developer.travis-ci.com */
export interface TravisApi {
  /** The id of the request. https://docs.travis-ci.com/user/triggering-builds/ */
  request(body: { readonly branch?: string; readonly sha: string; readonly message: string }): Promise<number>;
  /** The id of the request by which a commit was to be built with this message, of the last 25. https://developer.travis-ci.com/resource/requests */
  findRequest(sha: string, message: string, signal: AbortSignal): Promise<number | null>;
  /** `null` while Travis CI has not got round to it. https://developer.travis-ci.com/resource/request */
  requestState(id: number, signal: AbortSignal): Promise<RequestState | null>;
  /** https://developer.travis-ci.com/resource/build */
  buildState(id: number, signal: AbortSignal): Promise<BuildState | null>;
  /** https://developer.travis-ci.com/resource/jobs */
  jobs(build: number, signal: AbortSignal): Promise<readonly Job[]>;
  /** https://developer.travis-ci.com/resource/log; 403 and 404 are answers. */
  log(job: number, signal: AbortSignal): Promise<Response>;
  /** A build that has ended is fine. */
  cancel(build: number, signal: AbortSignal): Promise<void>;
}

export type RequestState = z.infer<typeof requestState>;
export type BuildState = z.infer<typeof buildState>;
export type Job = z.infer<typeof jobs>["jobs"][number];

const text = z.string().max(200);
const pending = z.object({ request: z.object({ id: z.int() }) });
const requestState = z.object({
  state: text.nullish(),
  result: text.nullish(),
  message: z.string().nullish(),
  builds: z.array(z.object({ id: z.int() })).default([]),
});
const requests = z.object({
  requests: z.array(
    z.object({
      id: z.int(),
      event_type: text.nullish(),
      commit: z.object({ sha: z.string(), message: z.string().nullish() }).nullish(),
    }),
  ),
});
const buildState = z.object({ number: text, state: text });
const jobs = z.object({ jobs: z.array(z.object({ id: z.int(), number: text, state: text })) });

/** The API for one repository. */
export function travisApi(service: Service, endpoint: string, { owner, name }: { owner: string; name: string }): TravisApi {
  const base = baseOf(endpoint);
  // One segment: the slash between owner and name is escaped as well.
  const repository = `${base}/repo/${encodeURIComponent(`${owner}/${name}`)}`;

  async function read<T>(url: string, schema: z.ZodType<T>, question: Question): Promise<T | null> {
    const response = await ask(service, url, { ...question, answers: [404] });
    if (response.ok) return readJson(service, response, schema);
    await response.body?.cancel();
    return null;
  }

  return {
    async request(body) {
      const question = {
        doing: "build the commit",
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ request: body }),
        redirects: 0,
      };
      const taken = await read(`${repository}/requests`, pending, question);
      if (taken === null) throw failed(`Travis CI does not know ${owner}/${name}, or the token may not see it`);
      return taken.request.id;
    },
    async findRequest(sha, message, signal) {
      const found = await read(`${repository}/requests?limit=25`, requests, { doing: "show its requests", signal });
      const asked = found?.requests.find(
        ({ event_type: origin, commit }) => origin === "api" && commit?.sha === sha && commit.message === message,
      );
      return asked?.id ?? null;
    },
    requestState: (id, signal) => read(`${repository}/request/${id}`, requestState, { doing: "show the request", signal }),
    buildState: (id, signal) => read(`${base}/build/${id}`, buildState, { doing: "show the build", signal }),
    async jobs(build, signal) {
      return (await read(`${base}/build/${build}/jobs`, jobs, { doing: "show the build's jobs", signal }))?.jobs ?? [];
    },
    log: (job, signal) =>
      ask(service, `${base}/job/${job}/log.txt`, {
        doing: "show a job's log",
        headers: { accept: "text/plain" },
        answers: [403, 404],
        signal,
        timeout: 600_000,
        mostBytes: Number.POSITIVE_INFINITY,
      }),
    async cancel(build, signal) {
      const question = { doing: "cancel the build", method: "POST", answers: [404, 409], redirects: 0, signal };
      const response = await ask(service, `${base}/build/${build}/cancel`, question);
      await response.body?.cancel();
    },
  };
}
