import { readFileSync } from "node:fs";
import { type Answer, type Asked, type StandIn, startStandIn } from "./stand-in.ts";

const fixture = JSON.parse(readFileSync(new URL("../../fixtures/services/travis.json", import.meta.url), "utf8"));

export const token = "zyx-travis-token-4711";

export type State = "created" | "started" | "passed" | "failed" | "errored" | "canceled";

interface RequestRecord {
  readonly id: number;
  readonly body: { readonly request: { readonly sha: string; readonly message: string; readonly branch?: string } };
  result: "pending" | "unknown" | "approved" | "rejected";
}

export interface BuildRecord {
  readonly id: number;
  state: State;
  exists: boolean;
  readonly jobs: { readonly id: number; readonly number: string; state: State; log: string | null }[];
}

export interface TravisServer extends StandIn {
  readonly requests: readonly RequestRecord[];
  readonly builds: readonly BuildRecord[];
  /** Makes the build that was asked for, with one job. */
  begin(): BuildRecord;
  reject(): void;
  /** The request has been taken, but nothing knows of it yet. */
  hesitate(): void;
}

/** Travis CI with the repository acme/shop. */
export async function startTravis(): Promise<TravisServer> {
  const requests: RequestRecord[] = [];
  const builds: BuildRecord[] = [];

  function answer(asked: Asked): Answer {
    const { headers, method, path, body } = asked;
    if (headers["travis-api-version"] !== "3") return { status: 404 };
    if (headers.authorization !== `token ${token}`) return { status: 403, body: fixture.loginRequired };
    if (method === "POST" && path === "/repo/acme%2Fshop/requests") {
      const request: RequestRecord = { id: 205729 + requests.length, body: JSON.parse(body), result: "pending" };
      requests.push(request);
      return { status: 202, body: { ...fixture.pending, request: { ...fixture.pending.request, id: request.id } } };
    }
    if (method === "GET" && path === "/repo/acme%2Fshop/requests")
      return { body: { "@type": "requests", requests: requests.map(listed) } };
    const [, request] = /^\/repo\/acme%2Fshop\/request\/(\d+)$/.exec(path) ?? [];
    if (request !== undefined) return showRequest(requests.find((one) => one.id === Number(request)));
    const [, build, rest] = /^\/build\/(\d+)(\/.*)?$/.exec(path) ?? [];
    if (build !== undefined)
      return ofBuild(
        builds.find((one) => one.exists && one.id === Number(build)),
        method,
        rest ?? "",
      );
    const [, job] = /^\/job\/(\d+)\/log\.txt$/.exec(path) ?? [];
    const log = builds.flatMap((one) => one.jobs).find((one) => one.id === Number(job))?.log;
    if (log === undefined || log === null) return { status: 404, body: fixture.notFound };
    return { headers: { "content-type": "text/plain" }, body: log };
  }

  /** What was asked for gets its commit, with the message that was asked for, when Travis CI has got round to it. */
  function listed({ id, body, result }: RequestRecord) {
    const { sha, message } = body.request;
    const commit = result === "unknown" ? null : { "@type": "commit", "@representation": "minimal", id, sha, message };
    return { ...fixture.request, id, commit };
  }

  function showRequest(request: RequestRecord | undefined): Answer {
    if (request === undefined || request.result === "unknown") return { status: 404, body: fixture.notFound };
    if (request.result === "pending") return { body: { ...fixture.request, id: request.id } };
    if (request.result === "rejected") {
      return { body: { ...fixture.request, id: request.id, state: "finished", result: "rejected", message: "branch excluded" } };
    }
    const made = builds.map((build) => ({ ...fixture.minimalBuild, id: build.id, state: build.state }));
    return { body: { ...fixture.request, id: request.id, state: "finished", result: "approved", builds: made } };
  }

  function ofBuild(build: BuildRecord | undefined, method: string, rest: string): Answer {
    if (build === undefined) return { status: 404, body: fixture.notFound };
    if (rest === "") return { body: { ...fixture.build, id: build.id, state: build.state } };
    if (rest === "/jobs") {
      const jobs = build.jobs.map((job) => ({ ...fixture.jobs.jobs[0], id: job.id, number: job.number, state: job.state }));
      return { body: { ...fixture.jobs, jobs } };
    }
    if (method !== "POST" || rest !== "/cancel") return { status: 404 };
    if (build.state !== "created" && build.state !== "started") return { status: 409, body: fixture.notCancellable };
    end(build, "canceled");
    return { status: 202, body: fixture.cancelled };
  }

  return {
    ...(await startStandIn(answer)),
    requests,
    builds,
    begin() {
      const request = requests.at(-1);
      if (request === undefined) throw new Error("Nothing was asked for");
      request.result = "approved";
      const id = 8812 + builds.length;
      const build: BuildRecord = {
        id,
        state: "started",
        exists: true,
        jobs: [{ id: id * 10, number: "41.1", state: "started", log: "hello\n" }],
      };
      builds.push(build);
      return build;
    },
    reject() {
      for (const request of requests) request.result = "rejected";
    },
    hesitate() {
      for (const request of requests) request.result = "unknown";
    },
  };
}

/** Ends a build with its jobs. */
export function end(build: BuildRecord, state: State): void {
  build.state = state;
  for (const job of build.jobs) job.state = state;
}
