import { z } from "zod";
import { baseOf } from "../../elsewhere/options.ts";
import { ask, type Question, readJson, type Service } from "../../elsewhere/service.ts";
import { failed } from "../../elsewhere/trouble.ts";
import type { Tarball } from "../release/tarball.ts";

/** What of Heroku's Platform API is used: https://devcenter.heroku.com/articles/platform-api-reference */
export interface HerokuApi {
  app(signal: AbortSignal): Promise<App>;
  /** The newest hundred, the newest first. */
  builds(signal: AbortSignal): Promise<readonly Build[]>;
  /** Sends the source to where Heroku keeps it for a while; gives the address from which it can be built. */
  sendSource(tarball: Tarball, signal: AbortSignal): Promise<string>;
  createBuild(source: { readonly url: string; readonly version: string; readonly checksum: string }): Promise<Build>;
  build(id: string, signal: AbortSignal): Promise<Build>;
  /** One that has ended stays as it is. */
  cancelBuild(id: string, signal: AbortSignal): Promise<void>;
  /** The newest hundred of an app, the newest first; null where the key may not see them. */
  releases(app: string, signal: AbortSignal): Promise<readonly Release[] | null>;
  release(id: string, signal: AbortSignal): Promise<Release>;
  /** Null when the release is not there any more, or may not be gone back to. */
  rollBack(release: string): Promise<Release | null>;
  /** Where an app stands in a pipeline; null when it stands in none that the key may see. */
  coupling(app: string, signal: AbortSignal): Promise<Coupling | null>;
  promote(promotion: {
    readonly pipeline: string;
    readonly source: { readonly app: string; readonly release: string };
    readonly target: string;
  }): Promise<string>;
  promotionTarget(promotion: string, signal: AbortSignal): Promise<PromotionTarget | null>;
  /** The output of a build or of a release phase, from its beginning; null before there is one. Its address is the only key to it. */
  output(address: string, signal: AbortSignal): Promise<Response | null>;
}

const id = z.object({ id: z.string() });
const app = z.object({ id: z.string(), web_url: z.string().nullish() });
const build = z.object({
  id: z.string(),
  status: z.string().max(50),
  output_stream_url: z.string().nullish(),
  release: id.nullish(),
  source_blob: z.object({ version: z.string().nullish() }).nullish(),
});
const release = z.object({
  id: z.string(),
  version: z.int(),
  status: z.string().max(50).default("succeeded"),
  current: z.boolean().default(false),
  description: z.string().nullish(),
  slug: id.nullish(),
  output_stream_url: z.string().nullish(),
});
const source = z.object({ source_blob: z.object({ get_url: z.string(), put_url: z.string() }) });
const coupling = z.object({ app: id, pipeline: id });
const promotionTarget = z.object({
  app: id,
  status: z.string().max(50),
  error_message: z.string().nullish(),
  release: id.nullish(),
});

export type App = z.infer<typeof app>;
export type Build = z.infer<typeof build>;
export type Release = z.infer<typeof release>;
export type Coupling = z.infer<typeof coupling>;
export type PromotionTarget = z.infer<typeof promotionTarget>;

/** Of pages of a list: https://devcenter.heroku.com/articles/platform-api-reference#ranges */
const newest = (field: string) => ({ range: `${field} ..; max=100, order=desc` });
const json = "application/vnd.heroku+json; version=3";
/** A source may be large, and an output is read as it comes. */
const long = { timeout: 3_600_000, mostBytes: Number.POSITIVE_INFINITY };

/** The API as one app sees it. The key is in the service's headers, and goes to the API alone: sources and outputs are on other hosts. */
export function herokuApi(service: Service, address: string, name: string): HerokuApi {
  const base = baseOf(address);
  const mine = `${base}/apps/${name}`;
  const keyless: Service = { ...service, headers: {} };

  async function get<T>(url: string, schema: z.ZodType<T>, question: Question): Promise<T> {
    return readJson(service, await ask(service, url, { ...question, redirects: 0 }), schema);
  }
  async function orNull<T>(
    url: string,
    schema: z.ZodType<T>,
    question: Question & { answers: readonly number[] },
  ): Promise<T | null> {
    const response = await ask(service, url, { ...question, redirects: 0 });
    if (response.ok) return readJson(service, response, schema);
    await response.body?.cancel();
    return null;
  }
  function posting(body: unknown, doing: string) {
    return { doing, method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), redirects: 0 };
  }
  async function post<T>(url: string, body: unknown, schema: z.ZodType<T>, doing: string): Promise<T> {
    return readJson(service, await ask(service, url, posting(body, doing)), schema);
  }
  /** Where the key may not see something, it is as if it were not there. */
  const hidden = [403, 404];

  return {
    async app(signal) {
      const found = await orNull(mine, app, { doing: `show the app ${name}`, answers: hidden, signal });
      if (found === null) throw failed(`with.app: Heroku has no app "${name}", or the key may not see it`);
      return found;
    },
    builds: (signal) =>
      get(`${mine}/builds`, z.array(build), { doing: `list the builds of ${name}`, headers: newest("created_at"), signal }),
    async sendSource(tarball, signal) {
      const { source_blob: blob } = await post(`${base}/sources`, {}, source, "take the source");
      // The address is signed without a type: https://devcenter.heroku.com/articles/build-and-release-using-the-api#sources-endpoint
      const question = { doing: "take the source", method: "PUT", headers: { "content-type": "" }, body: tarball, redirects: 0 };
      const response = await ask(keyless, blob.put_url, { ...question, signal, ...long });
      await response.body?.cancel();
      return blob.get_url;
    },
    createBuild: (from) => post(`${mine}/builds`, { source_blob: from }, build, `build ${name}`),
    build: (which, signal) => get(`${mine}/builds/${which}`, build, { doing: `show a build of ${name}`, signal }),
    async cancelBuild(which, signal) {
      // As Heroku's own command line does it: https://github.com/heroku/heroku-builds
      const headers = { accept: "application/vnd.heroku+json; version=3.cancel-build" };
      const question = { doing: `cancel a build of ${name}`, method: "DELETE", headers, answers: [404, 409, 422], redirects: 0 };
      const response = await ask(service, `${mine}/builds/${which}`, { ...question, signal });
      await response.body?.cancel();
    },
    releases: (of, signal) =>
      orNull(`${base}/apps/${of}/releases`, z.array(release), {
        doing: `list the releases of ${of}`,
        answers: hidden,
        headers: newest("version"),
        signal,
      }),
    release: (which, signal) => get(`${mine}/releases/${which}`, release, { doing: `show a release of ${name}`, signal }),
    rollBack: (to) =>
      orNull(`${mine}/releases`, release, { ...posting({ release: to }, `roll ${name} back`), answers: [404, 422] }),
    coupling: (of, signal) =>
      orNull(`${base}/apps/${of}/pipeline-couplings`, coupling, {
        doing: `show the pipeline of ${of}`,
        answers: hidden,
        signal,
      }),
    async promote({ pipeline, source: { app: from, release: which }, target }) {
      const body = {
        pipeline: { id: pipeline },
        source: { app: { id: from }, release: { id: which } },
        targets: [{ app: { id: target } }],
      };
      return (await post(`${base}/pipeline-promotions`, body, id, `promote to ${name}`)).id;
    },
    async promotionTarget(promotion, signal) {
      const url = `${base}/pipeline-promotions/${promotion}/promotion-targets`;
      const targets = await get(url, z.array(promotionTarget), { doing: `show the promotion to ${name}`, signal });
      return targets[0] ?? null;
    },
    async output(at, signal) {
      const response = await ask(keyless, at, { doing: `show the output of ${name}`, answers: [404], signal, ...long });
      if (response.ok) return response;
      await response.body?.cancel();
      return null;
    },
  };
}

/** What each request to the API carries. */
export function headersWith(key: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${key}`, accept: json };
}
