import { z } from "zod";
import { baseOf } from "../../elsewhere/options.ts";
import { ask, type Question, readJson, type Service } from "../../elsewhere/service.ts";
import { errored, failed } from "../../elsewhere/trouble.ts";

/** What of Jenkins' remote API is used: https://www.jenkins.io/doc/book/using/remote-access-api/ */
export interface JenkinsApi {
  job(signal: AbortSignal): Promise<{ readonly buildable: boolean; readonly parameters: readonly string[] | null }>;
  /** The number of the queue item. `null` for a job without parameters. The signal breaks off what comes before the request itself. */
  build(parameters: Readonly<Record<string, string>> | null, signal: AbortSignal): Promise<number>;
  /** `null` when Jenkins does not know it: it forgets an item five minutes after it has left the queue. */
  queueItem(item: number, signal: AbortSignal): Promise<QueueItem | null>;
  /** The build that a queue item became, of the last hundred. */
  buildOfItem(item: number, signal: AbortSignal): Promise<number | null>;
  /** The build, or its place in the queue, that was asked for with this value of a parameter, of all that waits and the last hundred builds. */
  findBuild(
    parameter: string,
    value: string,
    signal: AbortSignal,
  ): Promise<{ readonly item: number; readonly number: number | null } | null>;
  buildState(number: number, signal: AbortSignal): Promise<BuildState | null>;
  /** The console from an offset on; the next offset and whether there is more come in the head. */
  console(number: number, start: number, signal: AbortSignal): Promise<Response>;
  cancelItem(item: number, signal: AbortSignal): Promise<void>;
  stopBuild(number: number, signal: AbortSignal): Promise<void>;
}

export type QueueItem = z.infer<typeof queueItem>;
export type BuildState = z.infer<typeof buildState>;

const job = z.object({
  buildable: z.boolean().default(true),
  property: z
    .array(z.object({ parameterDefinitions: z.array(z.object({ name: z.string() })).optional() }).nullable())
    .default([]),
});
const queueItem = z.object({
  cancelled: z.boolean().default(false),
  why: z.string().nullable().default(null),
  executable: z
    .object({ number: z.int(), url: z.string().default("") })
    .nullable()
    .default(null),
});
const buildState = z.object({ building: z.boolean(), result: z.string().max(50).nullable().default(null) });
const actions = z
  .array(z.object({ parameters: z.array(z.object({ name: z.string(), value: z.unknown() })).optional() }).nullable())
  .default([]);
const builds = z.object({ builds: z.array(z.object({ number: z.int(), queueId: z.int().optional(), actions })) });
const queue = z.object({ items: z.array(z.object({ id: z.int(), actions })) });
const crumb = z.object({ crumb: z.string(), crumbRequestField: z.string() });

/** A job's console may be long, and is read as it comes. */
const forConsole = { timeout: 600_000, mostBytes: Number.POSITIVE_INFINITY };

/** The API of one job; `name` has its folders in it. Addresses that Jenkins tells are never asked: they may be on another host. */
export function jenkinsApi(service: Service, address: string, name: string): JenkinsApi {
  const base = baseOf(address);
  const jobAddress = `${base}${name
    .split("/")
    .map((part) => `/job/${encodeURIComponent(part)}`)
    .join("")}`;

  async function read<T>(url: string, schema: z.ZodType<T>, question: Question): Promise<T | null> {
    const response = await ask(service, url, { ...question, answers: [404] });
    if (response.ok) return readJson(service, response, schema);
    await response.body?.cancel();
    return null;
  }

  /** A crumb belongs to a session, so each POST gets its own: https://www.jenkins.io/doc/book/security/csrf-protection/ */
  async function post(url: string, question: Question, signal: AbortSignal): Promise<Response> {
    const given = await ask(service, `${base}/crumbIssuer/api/json`, { doing: "give a crumb", answers: [404], signal });
    const cookies = given.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0]);
    const { crumb: value, crumbRequestField: field } = given.ok
      ? await readJson(service, given, crumb)
      : { crumb: "", crumbRequestField: "" };
    if (!given.ok) await given.body?.cancel();
    signal.throwIfAborted();
    const headers = {
      ...question.headers,
      ...(field === "" ? {} : { [field]: value }),
      ...(cookies.length === 0 ? {} : { cookie: cookies.join("; ") }),
    };
    const response = await ask(service, url, { ...question, headers, method: "POST", redirects: 0 });
    await response.body?.cancel();
    return response;
  }

  return {
    async job(signal) {
      const tree = "buildable,property[parameterDefinitions[name]]";
      const found = await read(`${jobAddress}/api/json?tree=${tree}`, job, { doing: `show the job ${name}`, signal });
      if (found === null) throw failed(`with.job: Jenkins has no job "${name}", or the credentials may not see it`);
      const declared = found.property.flatMap((property) => property?.parameterDefinitions ?? null).filter((one) => one !== null);
      const takesParameters = found.property.some((property) => property?.parameterDefinitions !== undefined);
      return { buildable: found.buildable, parameters: takesParameters ? declared.map((one) => one.name) : null };
    },
    async build(parameters, signal) {
      const form = { "content-type": "application/x-www-form-urlencoded" };
      const sent = parameters === null ? {} : { body: new URLSearchParams(parameters).toString(), headers: form };
      const url = `${jobAddress}/${parameters === null ? "build" : "buildWithParameters"}`;
      const response = await post(url, { doing: `build ${name}`, ...sent }, signal);
      const item = /\/queue\/item\/(\d+)\/?$/.exec(response.headers.get("location") ?? "")?.[1];
      if (item === undefined)
        throw errored("Jenkins did not say which queue item the build is", "Signalbox needs Jenkins 1.519 or newer");
      return Number(item);
    },
    queueItem: (item, signal) =>
      read(`${base}/queue/item/${item}/api/json?tree=cancelled,why,executable[number,url]`, queueItem, {
        doing: "show its queue",
        signal,
      }),
    async buildOfItem(item, signal) {
      const found = await read(`${jobAddress}/api/json?tree=builds[number,queueId]{0,100}`, builds, {
        doing: `show ${name}`,
        signal,
      });
      return found?.builds.find((build) => build.queueId === item)?.number ?? null;
    },
    async findBuild(parameter, value, signal) {
      const asks = (one: { readonly actions: z.infer<typeof actions> }) =>
        one.actions.some((action) => action?.parameters?.some((given) => given.name === parameter && given.value === value));
      const doing = { doing: `show ${name}`, signal };
      // The queue first: what leaves it meanwhile is among the builds by then.
      const parameters = "actions[parameters[name,value]]";
      const waiting = await read(`${base}/queue/api/json?tree=items[id,${parameters}]`, queue, doing);
      const item = waiting?.items.find(asks);
      if (item !== undefined) return { item: item.id, number: null };
      const found = await read(`${jobAddress}/api/json?tree=builds[number,queueId,${parameters}]{0,100}`, builds, doing);
      const build = found?.builds.find(asks);
      return build === undefined ? null : { item: build.queueId ?? 0, number: build.number };
    },
    buildState: (number, signal) =>
      read(`${jobAddress}/${number}/api/json?tree=building,result`, buildState, { doing: `show ${name} #${number}`, signal }),
    console: (number, start, signal) =>
      ask(service, `${jobAddress}/${number}/logText/progressiveText?start=${start}`, {
        doing: `show the console of ${name} #${number}`,
        answers: [404],
        signal,
        ...forConsole,
      }),
    async cancelItem(item, signal) {
      // Older versions answer with a redirect, newer with 204; one that has left the queue is 404.
      const answers = [302, 303, 404];
      await post(`${base}/queue/cancelItem?id=${item}`, { doing: `cancel ${name} in the queue`, answers, signal }, signal);
    },
    async stopBuild(number, signal) {
      const answers = [302, 303, 404];
      await post(`${jobAddress}/${number}/stop`, { doing: `stop ${name} #${number}`, answers, signal }, signal);
    },
  };
}
