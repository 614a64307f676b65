import { readFileSync } from "node:fs";
import { type Answer, type Asked, type StandIn, startStandIn } from "./stand-in.ts";

const fixture = JSON.parse(readFileSync(new URL("../../fixtures/services/jenkins.json", import.meta.url), "utf8"));

/** `USER:TOKEN` of the one user. */
export const credentials = "signalbox:11d0c5e1a7b94f6b9a3e0d6c2f18aa55d1";

export type Result = "SUCCESS" | "UNSTABLE" | "FAILURE" | "ABORTED" | "NOT_BUILT";

interface Item {
  readonly id: number;
  readonly parameters: URLSearchParams | null;
  state: "waiting" | "cancelled" | "gone" | { readonly build: number };
}

interface BuildRecord {
  readonly number: number;
  readonly item: number;
  console: string;
  result: Result | null;
  exists: boolean;
}

export interface JenkinsServer extends StandIn {
  readonly items: readonly Item[];
  readonly builds: BuildRecord[];
  /** Forgets an item, as Jenkins does five minutes after it has left the queue. */
  forget(item: number): void;
  /** A build that works from now on, of what waits. */
  begin(console?: string): BuildRecord;
  /** Somebody cancels what waits, in Jenkins itself. */
  cancelWaiting(): void;
}

export interface JenkinsRules {
  /** What happens to a build by itself, when it is looked for in the queue the second time; `null`: nothing. */
  readonly ends?: { readonly console: string; readonly result: Result } | null;
  /** Whether a POST needs a crumb of the same session. */
  readonly crumbs?: boolean;
  readonly parameters?: boolean;
  readonly buildable?: boolean;
}

/** Jenkins with the one job `team/shop-e2e`, below `/jenkins`. */
export async function startJenkins({
  ends = null,
  crumbs = true,
  parameters = true,
  buildable = true,
}: JenkinsRules = {}): Promise<JenkinsServer> {
  const items: Item[] = [];
  const builds: BuildRecord[] = [];
  const lookedFor = new Set<number>();
  const job = "/jenkins/job/team/job/shop-e2e";

  function begin(item: Item, console: string): BuildRecord {
    const build: BuildRecord = { number: 35 + builds.length, item: item.id, console, result: null, exists: true };
    builds.push(build);
    item.state = { build: build.number };
    return build;
  }

  function answer(asked: Asked): Answer {
    if (asked.headers.authorization !== `Basic ${Buffer.from(credentials).toString("base64")}`) return { status: 401 };
    if (asked.method === "POST") return asCrumbed(asked) ? post(asked) : { status: 403, body: fixture.noCrumb };
    return get(asked);
  }

  function asCrumbed({ headers }: Asked): boolean {
    return !crumbs || (headers["jenkins-crumb"] === fixture.crumb.crumb && headers.cookie === "JSESSIONID.1f=node0abc");
  }

  function get({ path, query }: Asked): Answer {
    if (path === "/jenkins/crumbIssuer/api/json") {
      const cookie = "JSESSIONID.1f=node0abc; Path=/jenkins; HttpOnly";
      return crumbs ? { body: fixture.crumb, headers: { "set-cookie": [cookie] } } : { status: 404 };
    }
    if (path === "/jenkins/queue/api/json") return showQueue();
    const [, id] = /^\/jenkins\/queue\/item\/(\d+)\/api\/json$/.exec(path) ?? [];
    if (id !== undefined) return showItem(items.find((item) => item.id === Number(id)));
    if (path === `${job}/api/json`) return query.get("tree")?.startsWith("builds") ? showBuilds() : showJob();
    const [, number, rest] = new RegExp(`^${job}/(\\d+)/(.*)$`).exec(path) ?? [];
    const build = builds.find((one) => one.exists && one.number === Number(number));
    if (build === undefined) return { status: 404 };
    if (rest === "api/json") return { body: { ...fixture.build, building: build.result === null, result: build.result } };
    if (rest === "logText/progressiveText") return showConsole(build, Number(query.get("start") ?? 0));
    return { status: 404 };
  }

  function showJob(): Answer {
    return { body: { ...(parameters ? fixture.job : fixture.jobWithoutParameters), buildable } };
  }

  function showBuilds(): Answer {
    const shown = builds.map((build) => ({ number: build.number, queueId: build.item, actions: actionsOf(build.item) }));
    return { body: { ...fixture.builds, builds: shown } };
  }

  function showQueue(): Answer {
    const waiting = items.filter((item) => item.state === "waiting");
    return { body: { items: waiting.map(({ id }) => ({ ...fixture.waitingItem, id, actions: actionsOf(id) })) } };
  }

  /** As Jenkins shows them: of what was sent, what the job declares. */
  function actionsOf(id: number): readonly unknown[] {
    const sent = items.find((item) => item.id === id)?.parameters ?? new URLSearchParams();
    const declared = fixture.job.property.flatMap((one: { parameterDefinitions?: { name: string }[] }) =>
      (one.parameterDefinitions ?? []).map(({ name }) => name),
    );
    const parameters = [...sent].filter(([name]) => declared.includes(name)).map(([name, value]) => ({ name, value }));
    return [{ _class: "hudson.model.CauseAction" }, { _class: "hudson.model.ParametersAction", parameters }, {}];
  }

  function showItem(item: Item | undefined): Answer {
    if (item === undefined || item.state === "gone") return { status: 404 };
    if (item.state === "cancelled") return { body: { ...fixture.cancelledItem, id: item.id } };
    if (item.state === "waiting") {
      if (ends !== null && lookedFor.has(item.id)) begin(item, ends.console).result = ends.result;
      lookedFor.add(item.id);
      return { body: { ...fixture.waitingItem, id: item.id } };
    }
    return {
      body: { ...fixture.leftItem, id: item.id, executable: { ...fixture.leftItem.executable, number: item.state.build } },
    };
  }

  /** Until the end of the last line, while the build works. */
  function showConsole(build: BuildRecord, start: number): Answer {
    const bytes = Buffer.from(build.console);
    const end = build.result === null ? bytes.lastIndexOf("\n") + 1 : bytes.length;
    const from = Math.min(start, end);
    const more: Record<string, string> = build.result === null ? { "x-more-data": "true" } : {};
    const headers = { "content-type": "text/plain;charset=UTF-8", "x-text-size": String(end), ...more };
    return { headers, body: bytes.subarray(from, end).toString("utf8") };
  }

  function post({ path, query, body }: Asked): Answer {
    if (path === "/jenkins/queue/cancelItem") {
      const item = items.find((one) => one.id === Number(query.get("id")));
      if (item === undefined || item.state === "gone") return { status: 404 };
      if (item.state === "waiting") item.state = "cancelled";
      return { status: 204 };
    }
    if (path === `${job}/build` || path === `${job}/buildWithParameters`) {
      if (!buildable) return { status: 409 };
      // "… is not parameterized", and "Nothing is submitted" the other way round.
      if (path.endsWith("Parameters") !== parameters) return { status: 400 };
      const item: Item = { id: 39 + items.length, parameters: parameters ? new URLSearchParams(body) : null, state: "waiting" };
      items.push(item);
      // Jenkins' own idea of its address, which nobody here can reach.
      return { status: 201, headers: { location: `https://jenkins.example.com/jenkins/queue/item/${item.id}/` } };
    }
    const [, number] = new RegExp(`^${job}/(\\d+)/stop$`).exec(path) ?? [];
    const build = builds.find((one) => one.exists && one.number === Number(number));
    if (build === undefined) return { status: 404 };
    build.result ??= "ABORTED";
    return { status: 302, headers: { location: `https://jenkins.example.com${job}/` } };
  }

  const standIn = await startStandIn(answer);
  return {
    ...standIn,
    url: `${standIn.url}/jenkins`,
    items,
    builds,
    forget(id) {
      for (const item of items) if (item.id === id) item.state = "gone";
    },
    begin(console = "hello\n") {
      const item = items.find((one) => one.state === "waiting");
      if (item === undefined) throw new Error("Nothing waits");
      return begin(item, console);
    },
    cancelWaiting() {
      for (const item of items) if (item.state === "waiting") item.state = "cancelled";
    },
  };
}
