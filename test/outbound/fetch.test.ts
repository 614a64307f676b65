import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { mayReach } from "../../src/outbound/addresses.ts";
import { guardedFetch, type OutboundMeans, type OutboundRequest } from "../../src/outbound/fetch.ts";
import { OutboundProblem } from "../../src/outbound/problem.ts";

const closers: (() => void)[] = [];
let asked: IncomingMessage[];
beforeEach(() => {
  asked = [];
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(answer: RequestListener): Promise<{ port: number; url: string }> {
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, url: `http://127.0.0.1:${address.port}` };
}

const loopbackAllowed: OutboundMeans = { allow: [{ host: "127.0.0.1", port: null }] };

async function problemOf(
  url: string,
  init: OutboundRequest = {},
  means: OutboundMeans = loopbackAllowed,
): Promise<OutboundProblem> {
  try {
    const response = await guardedFetch(url, init, means);
    await response.text();
  } catch (error) {
    if (error instanceof OutboundProblem) return error;
    throw error;
  }
  throw new Error("It was answered");
}

describe("a request to an address from a repository's file", () => {
  it("is sent as it is meant, and answered whatever the status", async () => {
    const { url } = await serve((request, response) => {
      let body = "";
      request.on("data", (piece) => {
        body += piece;
      });
      request.on("end", () =>
        response.writeHead(418, { "set-cookie": ["a=1", "b=2"] }).end(`${request.method} ${request.url} ${body}`),
      );
    });

    const response = await guardedFetch(
      `${url}/x?y=1`,
      { method: "POST", body: "hello", headers: { "x-mine": "1" } },
      loopbackAllowed,
    );

    expect([response.status, response.headers.getSetCookie(), await response.text()]).toEqual([
      418,
      ["a=1", "b=2"],
      "POST /x?y=1 hello",
    ]);
    expect(asked[0]?.headers).toMatchObject({ "x-mine": "1", "user-agent": "Signalbox", "accept-encoding": "identity" });
  });

  it.each([
    ["ftp://ci.example.com/", "an address with ftp: is refused; only http and https are asked"],
    ["file:///etc/passwd", "an address with file: is refused; only http and https are asked"],
    ["ci.example.com", "an address cannot be read; write one like https://ci.example.com"],
    ["https://user:hunter2@ci.example.com/", "the address at ci.example.com has a user or password in it; leave them out"],
  ])("is refused for %s", async (address, words) => {
    expect((await problemOf(address)).message).toBe(words);
  });

  it.each([
    "http://127.0.0.1:%/",
    "http://127.8.8.8:%/",
    "http://localhost:%/",
    "http://0x7f.1:%/",
    "http://2130706433:%/",
    "http://0.0.0.0:%/",
    "http://[::1]:%/",
    "http://[::]:%/",
    "http://[::ffff:127.0.0.1]:%/",
    "http://[::ffff:0:127.0.0.1]:%/",
    "http://[64:ff9b::127.0.0.1]:%/",
    "http://[2002:7f00:1::]:%/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
  ])("never reaches this machine or its cloud: %s", async (template) => {
    const { port } = await serve((_request, response) => response.end("secret"));

    const problem = await problemOf(template.replace("%", String(port)), {}, { allow: [] });

    expect([problem.fault, problem.message]).toEqual([
      "refused",
      expect.stringMatching(/ of this server itself, or of its cloud; .*OUTBOUND_ALLOW$/),
    ]);
    expect(asked).toEqual([]);
  });

  it("reaches what the operator allows, by address and port", async () => {
    const { port, url } = await serve((_request, response) => response.end("ok"));

    const response = await guardedFetch(url, {}, { allow: [{ host: "127.0.0.1", port }] });

    expect(await response.text()).toBe("ok");
    expect((await problemOf(url, {}, { allow: [{ host: "127.0.0.1", port: port + 1 }] })).fault).toBe("refused");
    expect((await problemOf(url, {}, { allow: [{ host: "::1", port: null }] })).fault).toBe("refused");
  });

  it("goes to what the name stood for when it was checked: the name is looked up once", async () => {
    const { port } = await serve((_request, response) => response.end("ok"));
    let lookups = 0;
    const resolve = async () => {
      lookups += 1;
      return lookups === 1 ? [{ address: "127.0.0.1", family: 4 }] : [{ address: "169.254.169.254", family: 4 }];
    };

    const response = await guardedFetch(`http://ci.example.com:${port}/`, {}, { ...loopbackAllowed, resolve });

    expect([await response.text(), lookups, asked[0]?.headers.host]).toEqual(["ok", 1, `ci.example.com:${port}`]);
  });

  it("leaves out what must not be reached of a name's addresses, and is refused when none is left", async () => {
    const { port } = await serve((_request, response) => response.end("ok"));
    const both = async () => [
      { address: "127.0.0.2", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ];
    const url = `http://ci.example.com:${port}/`;

    const response = await guardedFetch(url, {}, { ...loopbackAllowed, resolve: both });

    expect(await response.text()).toBe("ok");
    expect((await problemOf(url, {}, { allow: [], resolve: both })).message).toMatch(
      /^ci\.example\.com:\d+ is an address of this server/,
    );
  });

  it("says when a name is not known or nobody listens", async () => {
    const unknown = async () => {
      throw new Error("ENOTFOUND");
    };
    expect(await problemOf("http://ci.example.com/", {}, { ...loopbackAllowed, resolve: unknown })).toMatchObject({
      message: "ci.example.com cannot be reached: the name is not known",
      retryable: true,
    });
    const { port, url } = await serve(() => {});
    for (const close of closers.splice(0)) close();

    expect(await problemOf(url)).toMatchObject({
      message: `127.0.0.1:${port} cannot be reached: nothing listens there`,
      retryable: true,
    });
  });
});

describe("a redirect", () => {
  it("is followed within the origin with the same headers, a POST as GET", async () => {
    const { url } = await serve((request, response) => {
      if (request.url === "/a") response.writeHead(302, { location: "/b" }).end();
      else response.end(`${request.method} ${request.headers.authorization}`);
    });

    const response = await guardedFetch(
      `${url}/a`,
      { method: "POST", body: "x", headers: { authorization: "Basic x" } },
      loopbackAllowed,
    );

    expect(await response.text()).toBe("GET Basic x");
  });

  it("takes no header along to another origin", async () => {
    const other = await serve((request, response) => response.end(JSON.stringify(request.headers)));
    const { url } = await serve((_request, response) => response.writeHead(302, { location: other.url }).end());

    const headers = { authorization: "Basic hunter2", cookie: "hunter2", "jenkins-crumb": "hunter2" };
    const response = await guardedFetch(url, { headers }, loopbackAllowed);

    expect(await response.text()).not.toContain("hunter2");
  });

  it("takes no body along to another origin", async () => {
    const other = await serve((_request, response) => response.end());
    const { url } = await serve((_request, response) => response.writeHead(307, { location: other.url }).end());

    const problem = await problemOf(url, { method: "POST", body: "hunter2" });

    expect(problem.message).toMatch(/^127\.0\.0\.1:\d+ wants what it was sent to go to 127\.0\.0\.1:\d+$/);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ["http://169.254.169.254/latest/", /of this server itself, or of its cloud/],
    ["http://127.0.0.2/", /of this server itself, or of its cloud/],
    ["gopher://ci.example.com/", /only http and https/],
    ["http://a:b@ci.example.com/", /a user or password/],
  ])("to %s is refused like the address itself", async (location, words) => {
    const { url } = await serve((_request, response) => response.writeHead(302, { location }).end());

    const problem = await problemOf(url);

    expect([problem.fault, problem.message]).toEqual(["refused", expect.stringMatching(words)]);
  });

  it("is followed five times at most", async () => {
    const { port, url } = await serve((_request, response) => response.writeHead(302, { location: "/" }).end());

    expect((await problemOf(url)).message).toBe(`127.0.0.1:${port} redirects more than 5 times`);
    expect(asked).toHaveLength(6);
  });

  it("is the answer where none is wanted", async () => {
    const { url } = await serve((_request, response) => response.writeHead(302, { location: "/" }).end());

    expect((await guardedFetch(url, { redirects: 0 }, loopbackAllowed)).status).toBe(302);
  });
});

describe("an answer", () => {
  it("is broken off when it grows too large, whatever its head says", async () => {
    const { port, url } = await serve((_request, response) => {
      response.write("x".repeat(600));
      response.end("x".repeat(600));
    });

    expect(await problemOf(url, { mostBytes: 1_000 })).toMatchObject({
      fault: "too large",
      message: `127.0.0.1:${port} answered with more than 1000 bytes`,
      retryable: false,
    });
  });

  it("must be there in time: its head", async () => {
    const { port, url } = await serve(() => {});

    expect(await problemOf(url, { timeout: 50 })).toMatchObject({
      fault: "slow",
      message: `127.0.0.1:${port} did not answer within 0.05 s`,
    });
  });

  it("must be there in time: its body", async () => {
    const { url } = await serve((_request, response) => void response.write("begins"));

    expect((await problemOf(url, { timeout: 50 })).fault).toBe("slow");
  });

  it("that breaks off in the middle is a problem, not an end", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("begins", () => response.destroy());
    });

    expect(await problemOf(url)).toMatchObject({ fault: "unreachable", message: expect.stringMatching(/the connection broke$/) });
  });

  it("is given up when the caller stops, with the caller's reason", async () => {
    const stopping = new AbortController();
    const { url } = await serve((_request, response) => {
      response.write("begins");
      stopping.abort("superseded");
    });

    const reading = guardedFetch(url, { signal: stopping.signal }, loopbackAllowed).then((response) => response.text());

    await expect(reading).rejects.toBe("superseded");
  });

  it("can be read piece by piece", async () => {
    const { promise: first, resolve } = Promise.withResolvers<void>();
    const { url } = await serve((_request, response) => {
      response.write("one");
      void first.then(() => response.end("two"));
    });
    const pieces: string[] = [];

    const response = await guardedFetch(url, {}, loopbackAllowed);
    for await (const piece of response.body ?? []) {
      pieces.push(Buffer.from(piece).toString());
      resolve();
    }

    expect(pieces).toEqual(["one", "two"]);
  });
});

describe("an address", () => {
  it.each(["8.8.8.8", "10.0.0.7", "192.168.1.4", "2001:db8::1", "::ffff:8.8.8.8", "fd00::1"])("%s may be reached", (address) => {
    expect(mayReach(address, 443, [])).toBe(true);
  });

  it.each([
    "127.0.0.1",
    "169.254.0.1",
    "0.0.0.1",
    "::1",
    "fe80::1%eth0",
    "febf::1",
    "64:ff9b::a9fe:a9fe",
    "100.100.100.200",
    "not an address",
  ])("%s may not", (address) => {
    expect(mayReach(address, 443, [])).toBe(false);
  });

  it.each([
    ["127.0.0.9", "localhost"],
    ["::1", "localhost"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
  ])("%s may be reached where %s is allowed", (address, host) => {
    expect(mayReach(address, 80, [{ host, port: 80 }])).toBe(true);
    expect(mayReach(address, 81, [{ host, port: 80 }])).toBe(false);
  });
});
