import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { checkHealth } from "../../src/deployments/health.ts";
import { exampleFacts } from "../../src/repository-file/template.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A site that gives these answers in turn, the last one for ever; `null`: none at all. */
async function siteWith(...answers: readonly (readonly [status: number, body: string] | null)[]): Promise<string> {
  let asked = 0;
  const server = createServer((_, response) => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer) response.writeHead(answer[0]).end(answer[1]);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What comes of a health check, and what is written to the log. */
async function check(
  health: { url: string; within?: number; expect?: string | null },
  more: { allow?: boolean; stop?: AbortSignal } = {},
) {
  const { allow = true, stop = new AbortController().signal } = more;
  const log: string[] = [];
  const io = {
    stop,
    step: async () => ({ end: async () => {} }),
    write: async (bytes: Uint8Array) => void log.push(Buffer.from(bytes).toString().trimEnd().replace(health.url, "site")),
  };
  const asked = { within: 20_000, expect: "{{ short_sha }}", ...health };
  const problem = await checkHealth(asked, exampleFacts, io, { allow: allow ? [{ host: "127.0.0.1", port: null }] : [] });
  return { problem, log };
}

describe("a health check", () => {
  it("asks until the new commit answers, and writes each answer that differs once", async () => {
    const url = await siteWith([503, "starting"], [503, "starting"], [200, "old"], [200, "at 4be07d1"]);
    expect(await check({ url })).toEqual({
      problem: null,
      log: ["site: answered with 503", "site: answered with 200, without 4be07d1", "site: answered with 200 and 4be07d1"],
    });
  });

  it("takes any status of 2xx where no text is expected", async () => {
    expect(await check({ url: await siteWith([204, ""]), expect: null })).toEqual({
      problem: null,
      log: ["site: answered with 204"],
    });
  });

  it("says what it was waiting for when that never comes", async () => {
    const url = await siteWith([200, "old"]);
    expect(await check({ url, within: 1_500 })).toMatchObject({
      problem: `the health check at ${url} did not answer with 4be07d1 within 2 s`,
    });
    const down = await siteWith([500, ""]);
    expect((await check({ url: down, within: 500, expect: null })).problem).toMatch(
      / did not answer with a status of 2xx within 1 s$/,
    );
  });

  it("does not wait for ever for one answer", async () => {
    const { problem, log } = await check({ url: await siteWith(null), within: 300 });
    expect(problem).toMatch(/did not answer/);
    expect(log).toEqual([expect.stringMatching(/did not answer within 0\.\d+ s$/)]);
  });

  it("asks no address of this machine that the operator does not allow, and says so", async () => {
    const { problem, log } = await check({ url: await siteWith([200, "4be07d1"]), within: 300 }, { allow: false });
    expect(problem).not.toBeNull();
    expect(log).toEqual([expect.stringContaining("OUTBOUND_ALLOW")]);
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    const checked = check({ url: await siteWith([503, ""]) }, { stop: stop.signal });
    setImmediate(() => stop.abort("cancelled"));
    await expect(checked).rejects.toBe("cancelled");
  });
});
