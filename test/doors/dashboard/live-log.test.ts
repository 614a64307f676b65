import { request } from "node:http";
import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../../support/until.ts";
import { Browser } from "./browser.ts";
import { type Dashboard, useDashboards } from "./dashboard.ts";
import { aCheck } from "./runs.ts";

interface Event {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: {
    lines?: string[];
    first?: number;
    attempt?: number;
    look?: string;
    sentence?: string;
    title?: string;
    steps?: { name: string; look: string }[];
  };
}

/** Reads a stream of events as a browser does, and knows when it has ended. */
class Listener {
  readonly events: Event[] = [];
  ended = false;
  readonly #abort = new AbortController();
  readonly headers: Promise<Headers>;

  constructor(address: string, headers: Record<string, string> = {}) {
    const answer = fetch(address, { signal: this.#abort.signal, headers });
    this.headers = answer.then((response) => response.headers);
    void answer
      .then((response) => this.#read(response))
      .catch(() => {})
      .finally(() => (this.ended = true));
  }

  async #read({ body }: Response): Promise<void> {
    let rest = "";
    for await (const text of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n\n");
      rest = parts.pop() ?? "";
      this.events.push(...parts.flatMap(eventFrom));
    }
  }

  get names(): string[] {
    return this.events.map(({ name }) => name);
  }

  get lines(): string[] {
    return this.events.flatMap(({ name, data }) => (name === "lines" ? (data.lines ?? []) : []));
  }

  close(): void {
    this.#abort.abort();
  }
}

function eventFrom(part: string): Event[] {
  const fields = new Map(
    part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)] as const),
  );
  const name = fields.get("event");
  return name === undefined ? [] : [{ name, id: fields.get("id"), data: JSON.parse(fields.get("data") ?? "{}") }];
}

describe("the live log", () => {
  const open = useDashboards();
  const listeners: Listener[] = [];
  afterEach(() => {
    for (const listener of listeners.splice(0)) listener.close();
  });

  function listen(dashboard: Dashboard, id: number, query: string, headers: Record<string, string> = {}): Listener {
    const listener = new Listener(`${dashboard.url}/acme/shop/runs/${id}/live${query}`, headers);
    listeners.push(listener);
    return listener;
  }

  it("tells each line once, as soon as it is printed, and that the run has ended", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.print("one", "two");
    const listener = listen(dashboard, run.id, "?attempt=1&from=2");
    await until("the second line is told", () => listener.lines.includes("two"));
    await run.print("three");
    await until("the third line is told", () => listener.lines.includes("three"));
    dashboard.advance(72_000);
    await run.print("four");
    await run.end({ kind: "passed" });
    await until("the stream has ended", () => listener.ended);

    expect(listener.lines).toEqual(["two", "three", "four"]);
    expect(listener.events.filter(({ name }) => name === "lines").at(-1)?.id).toBe("4");
    expect(listener.names.at(0)).toBe("state");
    expect(listener.names.at(-1)).toBe("end");
    expect(listener.events.findLast(({ name }) => name === "state")?.data).toMatchObject({
      look: "passed",
      sentence: "Passed in 1 min 12 s",
      title: "Passed: test",
    });
    const headers = await listener.headers;
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(headers.get("x-accel-buffering")).toBe("no");
  });

  it("goes on after the last line that a browser has, when it comes back by itself", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.print("one", "two", "three");
    await run.end({ kind: "passed" });
    const listener = listen(dashboard, run.id, "?attempt=1&from=1", { "last-event-id": "2" });
    await until("the stream has ended", () => listener.ended);
    expect(listener.lines).toEqual(["three"]);
  });

  it("loses and doubles nothing of a fast log, over any number of reconnections", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    const seen: string[] = [];
    const printed: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const listener = listen(dashboard, run.id, `?attempt=1&from=${seen.length + 1}`);
      const lines = Array.from({ length: 700 }, (_, at) => `round ${round}, line ${at}`);
      printed.push(...lines);
      await run.print(...lines);
      await until("some lines are told", () => listener.lines.length > 100);
      listener.close();
      seen.push(...listener.lines);
    }
    await run.end({ kind: "passed" });
    const last = listen(dashboard, run.id, `?attempt=1&from=${seen.length + 1}`);
    await until("the stream has ended", () => last.ended);
    expect([...seen, ...last.lines]).toEqual(printed);
  });

  it("gives only the end to somebody who is far behind", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.print(...Array.from({ length: 5_000 }, (_, at) => `line ${at + 1}`));
    const listener = listen(dashboard, run.id, "?attempt=1&from=1");
    await until("lines are told", () => listener.lines.length > 0);
    expect(listener.events.find(({ name }) => name === "lines")?.data.first).toBe(4_801);
    expect(listener.lines.at(-1)).toBe("line 5000");
  });

  it("tells the steps as they begin and end", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    const listener = listen(dashboard, run.id, "?attempt=1");
    await run.step("npm ci", 0);
    await run.step("npm test", null);
    const steps = () => listener.events.findLast(({ name }) => name === "state")?.data.steps;
    await until("both steps are told", () => steps()?.length === 2);
    expect(steps()?.map(({ name, look }) => [name, look])).toEqual([
      ["npm ci", "passed"],
      ["npm test", "running"],
    ]);
  });

  it("begins again when another attempt does, also for a page that was opened before the first", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    const listener = listen(dashboard, run.id, "?attempt=0&from=1");
    await until("that it waits is told", () => listener.events[0]?.data.look === "queued");
    await run.start();
    await run.print("first");
    await until("the first line is told", () => listener.lines.includes("first"));
    await run.end({ kind: "failed", what: "it broke" });
    await until("the stream has ended", () => listener.ended);
    expect(listener.events.find(({ name }) => name === "attempt")?.data).toEqual({ attempt: 1 });

    await run.again();
    await run.start();
    await run.print("second");
    const later = listen(dashboard, run.id, "?attempt=1&from=2");
    await until("the line of the second attempt is told", () => later.lines.length > 0);
    expect(later.names.slice(0, 3)).toEqual(["attempt", "state", "lines"]);
    expect(later.lines).toEqual(["second"]);
  });

  it("ends for a reader who signs out", async () => {
    const dashboard = await open({ auth: "github" });
    const { run, browser, listener } = await readerOf(dashboard);
    const csrf = /name="csrf" value="([^"]+)"/.exec(await (await browser.get("/")).text())?.[1] ?? "";
    await browser.post("/-/logout", { csrf }, { "sec-fetch-site": "same-origin" });
    dashboard.advance(15_000);
    await run.print("a secret");
    await until("the stream has ended", () => listener.ended);
    expect(listener.names.at(-1)).toBe("gone");
    expect(listener.lines).toEqual(["before"]);
  });

  it("ends for a reader whom GitHub no longer lets read the repository", async () => {
    const dashboard = await open({ auth: "github" });
    const { run, listener } = await readerOf(dashboard);
    dashboard.github.rights.shop = {};
    dashboard.advance(15_000);
    await run.print("still allowed");
    await until("the line is told", () => listener.lines.includes("still allowed"));
    dashboard.advance(5 * 60_000);
    await run.print("a secret");
    await until("the stream has ended", () => listener.ended);
    expect(listener.names.at(-1)).toBe("gone");
    expect(listener.lines).toEqual(["before", "still allowed"]);
  });

  it("ends without a word when the server stops, so that the browser comes back", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    const listener = listen(dashboard, run.id, "?attempt=1");
    await until("the state is told", () => listener.events.length > 0);
    dashboard.stop();
    await until("the stream has ended", () => listener.ended);
    expect(listener.names).toEqual(["state"]);
  });

  it("makes nothing for a reader who takes nothing away, and forgets one who has left", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    const listening = new Set<() => void>();
    const { wake } = dashboard.database;
    const on = wake.on;
    wake.on = (topic, listener) => {
      const off = on(topic, listener);
      listening.add(off);
      return () => {
        off();
        listening.delete(off);
      };
    };
    let reads = 0;
    const read = dashboard.database.read;
    dashboard.database.read = (query) => {
      reads += 1;
      return read(query);
    };
    const reader = request(`${dashboard.url}/acme/shop/runs/${run.id}/live?attempt=1&from=1`);
    reader.on("error", () => {});
    reader.on("response", (response) => response.pause());
    reader.end();
    await until("the reader listens", () => listening.size > 0);

    const line = "x".repeat(10_000);
    for (let round = 0; round < 30; round += 1) await run.print(...Array.from({ length: 190 }, () => line));
    await turns();
    const before = reads;
    await dashboard.database.write(async (tx) => tx.ring(`log:${run.id}`));
    await turns();
    expect(reads).toBe(before);

    reader.destroy();
    await until("nobody listens", () => listening.size === 0);
  });
});

/** Lets everything run that can: SQLite answers within a turn, so a stream that wanted to read has read after a few. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Somebody who may read acme/shop and reads its live log. */
async function readerOf(dashboard: Dashboard) {
  const run = await aCheck(dashboard.database);
  await run.start();
  await run.print("before");
  const browser = new Browser(dashboard.url);
  await browser.open("/login");
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const listener = new Listener(`${dashboard.url}/acme/shop/runs/${run.id}/live?attempt=1&from=1`, { cookie });
  await until("the first line is told", () => listener.lines.includes("before"));
  return { run, browser, listener };
}
