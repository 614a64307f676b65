import { afterEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { startExporter } from "../../src/tracing/exporter.ts";
import type { Span } from "../../src/tracing/span.ts";
import { calm, deploymentBecomes, statusBecomes, useJourneys } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { type Collector, startCollector } from "./collector.ts";

let collectors: Collector[] = [];
afterEach(async () => {
  for (const collector of collectors) await collector.close();
  collectors = [];
});

async function collect(): Promise<Collector> {
  const collector = await startCollector();
  collectors.push(collector);
  return collector;
}

const file = `
checks: { test: { run: "true" } }
environments: { staging: { trigger: push, require_checks: none, target: directory, with: { path: staging } }, live: { after: staging, require_checks: none, target: directory, with: { path: live } } }
`;

describe("a delivery's trace", () => {
  const journeys = useJourneys();

  async function begin(endpoint: string, files = file) {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20key" };
    const journey = await journeys.start({ env });
    const shop = await journey.github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": files },
      permissions: { mira: "write" },
    });
    return { journey, shop };
  }

  it("goes from its receipt to the last status that GitHub was told, and is found by its GUID", async () => {
    const collector = await collect();
    const { journey, shop } = await begin(collector.url, `checks: { test: { run: "true" } }`);
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    await journey.stop();

    const opened = journey.github.deliveries().find(({ event }) => event === "pull_request");
    const trace = opened?.guid.replaceAll("-", "");
    const spans = collector.spans().filter(({ traceId }) => traceId === trace);
    const parentOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)?.name ?? null;
    const family = spans.map(({ name, parentSpanId }) => `${name} < ${parentOf(parentSpanId)}`);
    expect(family).toEqual(
      expect.arrayContaining([
        "handle pull_request < delivery pull_request",
        "check test < handle pull_request",
        "report check test < check test",
        "report commit < check test",
      ]),
    );
    expect(family.filter((one) => one.endsWith("< null"))).toEqual(["delivery pull_request < null"]);
    expect(spans.every(({ startTimeUnixNano, endTimeUnixNano }) => startTimeUnixNano <= endTimeUnixNano)).toBe(true);
    expect(spans.find(({ name }) => name === "check test")?.attributes).toContainEqual({
      key: "signalbox.sha",
      value: { stringValue: sha },
    });
    expect(collector.asked[0]?.headers).toMatchObject({ "api-key": "a key", "content-type": "application/json" });
  });

  it("goes on with what is promoted", async () => {
    const collector = await collect();
    const { journey, shop } = await begin(collector.url);
    const sha = await shop.commit({ branch: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await deploymentBecomes(shop, "live", "success", sha);
    await calm(journey);
    await journey.stop();
    const spans = collector.spans();
    const [staging, live] = ["staging", "live"].map((name) => spans.find((span) => span.name === `deployment ${name}`));
    expect(live).toMatchObject({ parentSpanId: staging?.spanId, traceId: staging?.traceId });
    expect(spans.map(({ name }) => name)).toContain("report deployment live");
  });

  it("is nobody's burden when the collector never answers", async () => {
    const collector = await collect();
    collector.fault(/./, "silent", 1_000);
    const { journey, shop } = await begin(collector.url);
    const sha = await shop.commit({ branch: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await deploymentBecomes(shop, "live", "success", sha);
    await journey.stop();
    expect(collector.spans()).toEqual([]);
  });
});

describe("what a collector does not take", () => {
  const span = (at: number): Span => ({
    trace: "1".repeat(32),
    id: at.toString(16).padStart(16, "0"),
    parent: null,
    name: `span ${at}`,
    kind: "internal",
    from: new Date(),
    to: new Date(),
    facts: {},
    problem: null,
  });

  it("waits, the newest 4,096, and is sent in their order when it can be; it is said once", async () => {
    const collector = await collect();
    collector.fault(/./, { status: 503 }, 3);
    const said: string[] = [];
    const log = pino({}, { write: (line: string) => void said.push(JSON.parse(line).msg) });
    const exporter = startExporter({ endpoint: collector.url, headers: {}, log, every: 10 });
    for (let at = 1; at <= 5_000; at += 1) exporter.add(span(at));
    await until("all has come", () => collector.spans().length >= 4_096);
    await exporter.stop();
    expect(collector.spans().map(({ name }) => name)).toEqual(Array.from({ length: 4_096 }, (_, at) => `span ${at + 905}`));
    expect(said).toEqual(["the collector does not take traces; they wait, within bounds", "the collector takes traces again"]);
  });

  it("is left out when it never will be", async () => {
    const collector = await collect();
    collector.fault(/./, { status: 400 });
    const exporter = startExporter({ endpoint: collector.url, headers: {}, log: pino({ level: "silent" }), every: 10 });
    exporter.add(span(1));
    await until("it was asked", () => collector.asked.length === 1);
    exporter.add(span(2));
    await exporter.stop();
    expect(collector.spans().map(({ name }) => name)).toEqual(["span 2"]);
  });
});
