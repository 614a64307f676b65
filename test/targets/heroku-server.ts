import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type Answer, type Asked, type StandIn, startStandIn } from "../runners/stand-in.ts";
import { fileInTar } from "./tar-file.ts";

const fixture = JSON.parse(readFileSync(new URL("../../fixtures/services/heroku.json", import.meta.url), "utf8"));

/** What a build or a release phase does. */
export type Behaviour = "passes" | "fails" | "waits";

export interface HerokuServer extends StandIn {
  /** Of builds that are created from now on. */
  builds: Behaviour;
  /** Of release phases from now on; null for an app without one. */
  phases: Behaviour | null;
  /** What each build and release phase says, besides the usual. */
  says: string;
  /** What a visitor of an app finds: the file `version` of its live slug. */
  live(app?: string): string | null;
  readonly made: { readonly builds: readonly BuildRecord[]; readonly releases: readonly ReleaseRecord[] };
  /** Lets what waits go on. */
  release(): void;
  /** Builds that others have begun. */
  buildOfOthers(): BuildRecord;
}

interface BuildRecord {
  readonly id: string;
  readonly app: string;
  readonly version: string | null;
  readonly content: string;
  status: "pending" | "succeeded" | "failed";
  release: string | null;
  goes: Behaviour;
}
interface ReleaseRecord {
  readonly id: string;
  readonly app: string;
  readonly version: number;
  readonly slug: string;
  readonly description: string;
  status: "pending" | "succeeded" | "failed";
  goes: Behaviour | null;
}

const apps = new Map([
  ["shop-staging", "01234567-0000-4000-8000-000000000001"],
  ["shop", "01234567-0000-4000-8000-000000000002"],
]);

/** Heroku as its documentation says, with the two apps `shop-staging` and `shop` of one pipeline. */
export async function startHeroku(key: string): Promise<HerokuServer> {
  const uploads = new Map<string, Buffer>();
  const slugs = new Map<string, string>();
  const builds: BuildRecord[] = [];
  const releases: ReleaseRecord[] = [];
  const promotions = new Map<string, { readonly app: string; readonly release: string }>();
  const state = { builds: "passes" as Behaviour, phases: null as Behaviour | null, says: "" };
  let url = "";
  let serial = 0;
  const newId = () => {
    serial += 1;
    return `0b000000-0000-4000-8000-${String(serial).padStart(12, "0")}`;
  };

  function shownBuild(build: BuildRecord) {
    return {
      ...fixture.build,
      id: build.id,
      status: build.status,
      app: { id: build.app },
      output_stream_url: `${url}/streams/${build.id}?token=stream-secret`,
      release: build.release === null ? null : { id: build.release },
      source_blob: { ...fixture.build.source_blob, version: build.version },
    };
  }
  function shownRelease(release: ReleaseRecord) {
    const output = release.goes === null ? null : `${url}/streams/${release.id}?token=stream-secret`;
    return {
      ...fixture.release,
      id: release.id,
      version: release.version,
      status: release.status,
      description: release.description,
      slug: { id: release.slug },
      current: current(release.app) === release,
      output_stream_url: output,
    };
  }
  const current = (app: string) => releases.findLast((release) => release.app === app && release.status === "succeeded");

  function newRelease(app: string, slug: string, description: string): ReleaseRecord {
    const version = releases.filter((release) => release.app === app).length + 1;
    const status = state.phases === null ? "succeeded" : "pending";
    const release: ReleaseRecord = { id: newId(), app, version, slug, description, status, goes: state.phases };
    releases.push(release);
    return release;
  }
  /** What does not wait ends when somebody has looked at it once. */
  function moveOn(): void {
    for (const build of builds.filter(({ status, goes }) => status === "pending" && goes !== "waits")) {
      if (build.goes === "fails") {
        build.status = "failed";
        continue;
      }
      const slug = newId();
      slugs.set(slug, build.content);
      build.release = newRelease(build.app, slug, `Deploy ${build.version?.slice(0, 8)}`).id;
      build.status = "succeeded";
    }
    for (const release of releases.filter(({ status, goes }) => status === "pending" && goes !== "waits"))
      release.status = release.goes === "fails" ? "failed" : "succeeded";
  }

  async function* outputOf(id: string): AsyncGenerator<string> {
    yield "-----> Node.js app detected\n";
    yield `-----> Building ${id}\n`;
    yield state.says;
    const goesOn = () =>
      builds.some((one) => one.id === id && one.status === "pending" && one.goes === "waits") ||
      releases.some((one) => one.id === id && one.status === "pending" && one.goes === "waits");
    while (goesOn()) await new Promise((resolve) => setTimeout(resolve, 5));
    yield "-----> Launching...\n";
  }

  function answer(asked: Asked): Answer {
    const { method, path, headers, body } = asked;
    if (path.startsWith("/streams/")) {
      const id = path.split("/")[2] ?? "";
      if (asked.query.get("token") !== "stream-secret") return { status: 403 };
      return headers.authorization === undefined ? { pieces: outputOf(id) } : { status: 400 };
    }
    if (path.startsWith("/uploads/")) {
      // A signed address takes no other authorization, and no type that was not signed.
      if (headers.authorization !== undefined || headers["content-type"] !== "" || headers["content-length"] === undefined)
        return { status: 400 };
      uploads.set(path, asked.bytes);
      return {};
    }
    if (headers.authorization !== `Bearer ${key}`) return { status: 401, body: fixture.unauthorized };
    if (!headers.accept?.startsWith("application/vnd.heroku+json; version=3"))
      return { status: 406, body: fixture.notAcceptable };
    const given = body === "" ? {} : JSON.parse(body);
    if (method === "POST" && path === "/sources") {
      const at = `${url}/uploads/${newId()}?signature=upload-secret`;
      return { status: 201, body: { source_blob: { get_url: at, put_url: at } } };
    }
    if (path.startsWith("/pipeline-promotions")) return promotion(asked, given);
    const [, name, kind, id] = /^\/apps\/([^/]+)(?:\/([a-z-]+))?(?:\/([^/]+))?$/.exec(path) ?? [];
    const app = apps.get(name ?? "") ?? [...apps.values()].find((one) => one === name);
    if (app === undefined) return { status: 404, body: fixture.notFound };
    if (kind === undefined) return { body: { ...fixture.app, id: app, name } };
    if (kind === "pipeline-couplings") return { body: { ...fixture.coupling, app: { id: app } } };
    if (kind === "builds") return method === "POST" ? newBuild(app, given) : build(asked, app, id);
    if (kind === "releases") return method === "POST" ? rollBack(app, given) : release(asked, app, id);
    return { status: 404, body: fixture.notFound };
  }

  function newBuild(app: string, { source_blob: { url: from, version, checksum } }: typeof fixture.requests.build): Answer {
    const bytes = uploads.get(new URL(from).pathname);
    if (bytes === undefined || !/^SHA256:[0-9a-f]{64}$/.test(checksum)) return { status: 422, body: fixture.invalid };
    const content = fileInTar(gunzipSync(bytes), "version");
    const made: BuildRecord = { id: newId(), app, version, content, status: "pending", release: null, goes: state.builds };
    builds.push(made);
    return { status: 201, body: shownBuild(made) };
  }
  function build({ method, headers }: Asked, app: string, id: string | undefined): Answer {
    const own = builds.filter((one) => one.app === app);
    if (id === undefined) {
      if (headers.range !== "created_at ..; max=100, order=desc") return { status: 416 };
      return { status: 206, body: own.toReversed().map(shownBuild) };
    }
    const found = own.find((one) => one.id === id);
    if (found === undefined) return { status: 404, body: fixture.notFound };
    if (method === "DELETE") {
      if (!headers.accept?.endsWith("version=3.cancel-build")) return { status: 404, body: fixture.notFound };
      if (found.status !== "pending") return { status: 422, body: fixture.invalid };
      found.status = "failed";
      return { body: shownBuild(found) };
    }
    const shown = shownBuild(found);
    moveOn();
    return { body: shown };
  }
  function release({ headers }: Asked, app: string, id: string | undefined): Answer {
    const own = releases.filter((one) => one.app === app);
    if (id === undefined) {
      if (headers.range !== "version ..; max=100, order=desc") return { status: 416 };
      return { status: 206, body: own.toReversed().map(shownRelease) };
    }
    const found = own.find((one) => one.id === id);
    if (found === undefined) return { status: 404, body: fixture.notFound };
    const shown = shownRelease(found);
    moveOn();
    return { body: shown };
  }
  function rollBack(app: string, { release: id }: typeof fixture.requests.rollback): Answer {
    const to = releases.find((one) => one.app === app && one.id === id);
    if (to === undefined) return { status: 422, body: fixture.invalid };
    return { status: 201, body: shownRelease(newRelease(app, to.slug, `Rollback to v${to.version}`)) };
  }
  function promotion({ method, path }: Asked, given: typeof fixture.requests.promotion): Answer {
    if (method === "POST") {
      const source = releases.find((one) => one.id === given.source.release.id && one.app === given.source.app.id);
      const app = given.targets[0].app.id;
      if (source === undefined || given.pipeline.id !== fixture.coupling.pipeline.id)
        return { status: 422, body: fixture.invalid };
      const id = newId();
      promotions.set(id, { app, release: newRelease(app, source.slug, `Promote shop-staging v${source.version}`).id });
      return { status: 201, body: { ...fixture.promotion, id } };
    }
    const found = promotions.get(path.split("/")[2] ?? "");
    if (found === undefined) return { status: 404, body: fixture.notFound };
    return {
      body: [{ ...fixture.promotionTarget, app: { id: found.app }, release: { id: found.release }, status: "succeeded" }],
    };
  }

  const standIn = await startStandIn(answer);
  url = standIn.url;
  return Object.assign(state, standIn, {
    made: { builds, releases },
    live: (app = "shop-staging") => slugs.get(current(apps.get(app) ?? "")?.slug ?? "") ?? null,
    release() {
      for (const one of [...builds, ...releases]) if (one.goes === "waits") one.goes = "passes";
      moveOn();
    },
    buildOfOthers() {
      const app = apps.get("shop-staging") ?? "";
      const made: BuildRecord = {
        id: newId(),
        app,
        version: null,
        content: "theirs",
        status: "pending",
        release: null,
        goes: "waits",
      };
      builds.push(made);
      return made;
    },
  });
}
