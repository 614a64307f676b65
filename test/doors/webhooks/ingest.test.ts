import { createHmac } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import type { Database } from "../../../src/database/connection.ts";
import type { BodyLimits } from "../../../src/doors/webhooks/body.ts";
import { patientServer } from "../../../src/doors/webhooks/ingest.ts";
import { signatureCheck } from "../../../src/doors/webhooks/signature.ts";
import { engines } from "../../support/engines.ts";
import { until } from "../../support/until.ts";
import { guid, headersFor, secret, send, sign, useIngest } from "./ingest-server.ts";

const payload = { action: "opened", installation: { id: 7 }, repository: { id: 1296269 }, title: "Grüße 船" };
const { serve, receipts } = useIngest();

describe.each(engines())("webhooks arrive on %s", (_name, storage) => {
  it("stores a delivery before it is accepted, as GitHub sent it", async () => {
    const database = await storage.open();
    const rung = new Promise<void>((resolve) => database.wake.on("receipts", resolve));
    const { post } = await serve(database);
    const body = JSON.stringify(payload);
    expect(await post(body)).toMatchObject({ status: 202, message: "Accepted: it is stored." });
    expect(await receipts(database)).toEqual([
      expect.objectContaining({
        guid,
        event: "pull_request",
        action: "opened",
        installation: 7,
        repository: 1296269,
        body,
        state: "received",
      }),
    ]);
    await rung;
  });

  it("takes the guide's form encoding, signed over the raw body", async () => {
    const database = await storage.open();
    const { post } = await serve(database);
    const form = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    expect(await post(form, { "content-type": "application/x-www-form-urlencoded" })).toMatchObject({ status: 202 });
    const [row] = await receipts(database);
    expect(JSON.parse(row?.body ?? "")).toEqual(payload);
    expect(row).toMatchObject({ repository: 1296269, installation: 7 });
  });

  it("stores what many send at the same moment, each once and none lost", async () => {
    const database = await storage.open();
    const { post } = await serve(database);
    const bodies = Array.from({ length: 250 }, (_, number) => JSON.stringify({ ...payload, number }));
    const answers = await Promise.all(bodies.map((body, number) => post(body, { "x-github-delivery": `guid-${number}` })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const rows = await receipts(database);
    expect(rows.map((row) => row.body).toSorted()).toEqual(bodies.toSorted());
    for (const row of rows) expect(row.body).toContain(`"number":${row.guid.slice("guid-".length)}}`);
  });

  it("keeps a delivery that arrives again as a receipt of its own", async () => {
    const database = await storage.open();
    const { post } = await serve(database);
    await post(JSON.stringify(payload));
    await post(JSON.stringify(payload));
    expect((await receipts(database)).map((row) => row.guid)).toEqual([guid, guid]);
  });

  it.each([
    ["an event that nobody listens to", { "x-github-event": "star" }, "Accepted: nothing here listens to it."],
    ["an action that nobody listens to", { "x-github-event": "pull_request" }, "Accepted: it is stored."],
  ])("keeps only the GUID of %s", async (_what, headers, message) => {
    const database = await storage.open();
    const { post } = await serve(database);
    expect(await post(JSON.stringify({ ...payload, action: "labeled" }), headers)).toMatchObject({ status: 202, message });
    expect(await receipts(database)).toEqual([expect.objectContaining({ guid, state: "ignored", body: null })]);
  });

  it("answers a ping with 200", async () => {
    const database = await storage.open();
    const { post } = await serve(database);
    expect(await post(`{"zen":"Design for failure.","hook_id":1}`, { "x-github-event": "ping" })).toMatchObject({ status: 200 });
    expect(await receipts(database)).toEqual([expect.objectContaining({ event: "ping", state: "ignored", body: null })]);
  });

  it("keeps a payload that belongs to no repository or installation", async () => {
    const database = await storage.open();
    const { post } = await serve(database);
    expect(await post(`{"installation":null,"repository":{"id":"1"},"action":5}`, { "x-github-event": "push" })).toMatchObject({
      status: 202,
    });
    expect(await receipts(database)).toEqual([
      expect.objectContaining({ installation: null, repository: null, action: null, series: 0 }),
    ]);
  });

  it.each([
    ["broken JSON between braces", `{"action":}`, "application/json"],
    ["what only JSON5 allows", "{action:'opened',}", "application/json"],
    ["two objects", "{}{}", "application/json"],
    ["a line end in a text", `{"a":"\n"}`, "application/json"],
    ["U+0000 within JSON", `{"a":"\0"}`, "application/json"],
    ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "application/json"],
    ["a form with broken JSON", "payload=%7B", "application/x-www-form-urlencoded"],
    ["a form with a list", "payload=%5B%5D", "application/x-www-form-urlencoded"],
  ])("keeps that it could not read %s, which was signed, and does nothing with it", async (_what, bad, type) => {
    const database = await storage.open();
    const { post } = await serve(database);
    expect(await post(bad, { "content-type": type })).toMatchObject({ status: 202 });
    expect(await receipts(database)).toEqual([
      expect.objectContaining({
        guid,
        state: "failed",
        error: "The payload is signed, but it is not a JSON object: nothing was done with it",
        body: null,
        series: 0,
      }),
    ]);
  });

  const rename = (database: Database, from: string, to: string) =>
    database.write((tx) => tx.db.schema.alterTable(from).renameTo(to).execute());

  if (storage.engine === "sqlite")
    it("accepts while the database cannot be written, and moves all of it, in order, when it can", async () => {
      const database = await storage.open();
      const { post, lines } = await serve(database);
      await rename(database, "receipt", "away");
      for (const number of [1, 2, 3]) expect(await post(JSON.stringify({ ...payload, number }))).toMatchObject({ status: 202 });
      await until("it has been noticed", () => lines.some((line) => line.includes("waits in the journal")));
      await rename(database, "away", "receipt");
      const numbers = (await receipts(database)).map(({ body }) => JSON.parse(body ?? "").number);
      expect(numbers).toEqual([1, 2, 3]);
    });
  else
    it("acknowledges nothing that could not be stored, says when to try again, and lives on", async () => {
      const database = await storage.open();
      const { post, lines } = await serve(database);
      await rename(database, "receipt", "away");
      const answers = await Promise.all([1, 2, 3].map((number) => post(JSON.stringify({ ...payload, number }))));
      for (const answer of answers) expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "30" } });
      expect(lines.filter((line) => line.includes("webhook not stored"))).toHaveLength(3);
      await rename(database, "away", "receipt");
      expect(await receipts(database)).toEqual([]);
      expect(await post(JSON.stringify(payload))).toMatchObject({ status: 202 });
    });

  it.each([
    ["U+0000 in the action", `{"action":"a\\u0000b","repository":{"id":1}}`],
    ["half a surrogate pair in the action", `{"action":"a\\ud800b"}`],
    ["an id beyond 2^53", `{"repository":{"id":9007199254740993},"installation":{"id":99999999999999999999}}`],
    ["a number too large for the database", `{"repository":{"id":1e300},"installation":{"id":-5}}`],
    ["a fraction for an id", `{"repository":{"id":1.5}}`],
  ])("stores a payload with %s", async (_what, body) => {
    const database = await storage.open();
    const { post } = await serve(database);
    expect(await post(body, { "x-github-event": "push" })).toMatchObject({ status: 202 });
    expect(await receipts(database)).toEqual([
      expect.objectContaining({
        body,
        repository: body.includes(`{"id":1}`) ? 1 : null,
        series: body.includes(`{"id":1}`) ? 1 : 0,
      }),
    ]);
    expect(() => JSON.parse(body)).not.toThrow();
  });
});

describe("webhooks that are refused", () => {
  const [, storage] = engines()[0] ?? [];
  const open = async () => {
    if (storage === undefined) throw new Error("no engine");
    return storage.open();
  };
  const body = JSON.stringify(payload);
  const unsigned = "The header X-Hub-Signature-256 is missing or wrong: GitHub and WEBHOOK_SECRET must have the same secret.";

  it.each<[string, OutgoingHttpHeaders, number, string]>([
    ["no signature", { "x-hub-signature-256": undefined }, 401, unsigned],
    ["an empty signature", { "x-hub-signature-256": "" }, 401, unsigned],
    ["the signature of another body", { "x-hub-signature-256": sign("{}") }, 401, unsigned],
    ["a signature with another secret", { "x-hub-signature-256": sign(body, "development") }, 401, unsigned],
    ["a signature with no secret", { "x-hub-signature-256": sign(body, "") }, 401, unsigned],
    ["a signature that is cut short", { "x-hub-signature-256": sign(body).slice(0, -2) }, 401, unsigned],
    ["a signature of zeros", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }, 401, unsigned],
    [
      "a SHA-1 signature",
      { "x-hub-signature-256": `sha1=${createHmac("sha1", secret).update(body).digest("hex")}` },
      401,
      unsigned,
    ],
    ["two signatures", { "x-hub-signature-256": [sign("{}"), sign(body)] }, 401, unsigned],
    ["no event", { "x-github-event": undefined }, 400, "The header X-GitHub-Event is missing or malformed."],
    ["an event that is none", { "x-github-event": "push; drop" }, 400, "The header X-GitHub-Event is missing or malformed."],
    ["an event of 65 letters", { "x-github-event": "a".repeat(65) }, 400, "The header X-GitHub-Event is missing or malformed."],
    ["no GUID", { "x-github-delivery": undefined }, 400, "The header X-GitHub-Delivery is missing or malformed."],
    ["a GUID that is none", { "x-github-delivery": "../../etc" }, 400, "The header X-GitHub-Delivery is missing or malformed."],
    [
      "a GUID of 65 letters",
      { "x-github-delivery": "a".repeat(65) },
      400,
      "The header X-GitHub-Delivery is missing or malformed.",
    ],
    [
      "another media type",
      { "content-type": "text/plain" },
      415,
      "A webhook is application/json or application/x-www-form-urlencoded.",
    ],
    ["no media type", { "content-type": undefined }, 415, "A webhook is application/json or application/x-www-form-urlencoded."],
  ])("refuses %s with a clear sentence, and stores nothing", async (_what, change, status, message) => {
    const database = await open();
    const { port } = await serve(database);
    const headers = Object.fromEntries(
      Object.entries({ ...headersFor(body), ...change }).filter(([, value]) => value !== undefined),
    );
    expect(await send(port, body, headers)).toMatchObject({
      status,
      message,
      headers: { "content-type": "application/json; charset=utf-8" },
    });
    expect(await receipts(database)).toEqual([]);
  });

  it.each(["GET", "PUT", "DELETE", "PATCH"])("refuses %s, naming what is allowed", async (method) => {
    const { port } = await serve(await open());
    expect(await send(port, "", {}, method)).toMatchObject({
      status: 405,
      message: "Webhooks are sent with POST.",
      headers: { allow: "POST" },
    });
  });

  it.each([
    ["broken JSON", `{"action":`, "application/json"],
    ["nothing", "", "application/json"],
    ["a list", "[]", "application/json"],
    ["a text", `"payload"`, "application/json"],
    ["null", "null", "application/json"],
    ["a comment after JSON", "{} // done", "application/json"],
    ["JSON with U+0000 behind it", "{}\0", "application/json"],
    ["blanks", " \r\n\t ", "application/json"],
    ["a form without payload", "data=%7B%7D", "application/x-www-form-urlencoded"],
    ["half a name of a form", "payl", "application/x-www-form-urlencoded"],
  ])("refuses %s, though signed, and stores nothing", async (_what, bad, type) => {
    const database = await open();
    const { post } = await serve(database);
    expect(await post(bad, { "content-type": type })).toMatchObject({
      status: 400,
      message: "The payload is not a JSON object.",
    });
    expect(await receipts(database)).toEqual([]);
  });

  it("does not say that JSON is broken before the signature is right", async () => {
    const { post } = await serve(await open());
    expect(await post("{", { "x-hub-signature-256": sign("{", "guess") })).toMatchObject({ status: 401, message: unsigned });
  });

  it("accepts the second secret while one is rotated, and no third", async () => {
    const { post } = await serve(await open(), { secrets: ["new", "old"] });
    expect(await post(body, { "x-hub-signature-256": sign(body, "new") })).toMatchObject({ status: 202 });
    expect(await post(body, { "x-hub-signature-256": sign(body, "old") })).toMatchObject({ status: 202 });
    expect(await post(body, { "x-hub-signature-256": sign(body, "other") })).toMatchObject({ status: 401 });
  });

  it("does not start with an empty secret", async () => {
    expect(() => signatureCheck(["right", ""])).toThrow("WEBHOOK_SECRET must be set");
  });

  it("accepts GitHub's own example of a signature", () => {
    // https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    expect(signatureCheck(["It's a Secret to Everybody"])([Buffer.from("Hello, "), Buffer.from("World!")], signature)).toBe(true);
  });

  it("logs no header and nothing of a body, whatever happens", async () => {
    const database = await open();
    const { post, port, lines, receiving } = await serve(database);
    const marked = JSON.stringify({ ...payload, token: "s3cr3t-in-the-body" });
    const headers = { authorization: "Bearer s3cr3t-in-a-header", "user-agent": "s3cr3t-agent" };
    await post(marked, headers);
    await post(marked, { ...headers, "x-hub-signature-256": "sha256=s3cr3t-signature" });
    await post(`{"s3cr3t`, headers);
    await send(port, marked, { ...headers, "content-type": "text/s3cr3t" });
    await database.write((tx) => sql`drop table receipt`.execute(tx.db));
    await post(marked, headers);
    await until("it has been noticed", () => lines.some((line) => line.includes("waits in the journal")));
    await receiving.stop();
    await post(marked, headers);
    const said = lines.join("");
    expect(said).toContain("webhook not stored");
    expect(said).not.toContain("s3cr3t");
    expect(said).not.toContain(sign(marked));
  });
});

describe("bodies that are too much", () => {
  const [, storage] = engines()[0] ?? [];
  const open = async () => {
    if (storage === undefined) throw new Error("no engine");
    return storage.open();
  };
  const small: Partial<BodyLimits> = { largest: 100_000 };
  const head = (more: string) =>
    `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-github-event: push\r\nx-github-delivery: ${guid}\r\nx-hub-signature-256: ${sign("")}\r\n${more}\r\n\r\n`;

  /** Writes as long as the server takes it; resolves, when the connection is closed, with what it answered and how much it took. */
  function pour(port: number, start: string, piece: Buffer, bytes: number): Promise<{ answered: string; taken: number }> {
    return new Promise((resolve) => {
      let [answered, taken] = ["", 0];
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.on("data", (chunk) => {
        answered += chunk;
      });
      socket.on("error", () => {}).on("close", () => resolve({ answered, taken }));
      socket.on("end", () => socket.destroy());
      socket.write(start);
      const more = () => {
        while (taken < bytes && !socket.destroyed) {
          taken += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.on("drain", more);
      more();
    });
  }

  it("takes 25 MB", async () => {
    const database = await open();
    const { post } = await serve(database);
    const body = JSON.stringify({ filler: "x".repeat(25 * 1024 * 1024 - 13) });
    expect(Buffer.byteLength(body)).toBe(25 * 1024 * 1024);
    expect(await post(body, { "x-github-event": "push" })).toMatchObject({ status: 202 });
    expect(await post(`${body} `, { "x-github-event": "push" })).toMatchObject({
      status: 413,
      message: "A webhook has at most 25 MB.",
    });
    expect((await receipts(database)).map((row) => row.body === body)).toEqual([true]);
  });

  it("refuses a body of 400 MB by its head, without reading it", async () => {
    const { port } = await serve(await open());
    const size = 400 * 1024 * 1024;
    const { answered, taken } = await pour(port, head(`content-length: ${size}`), Buffer.alloc(65_536), size);
    expect(answered).toContain("HTTP/1.1 413 Payload Too Large");
    expect(answered).toContain("connection: close");
    expect(answered).toContain("A webhook has at most 25 MB.");
    expect(taken).toBeLessThan(40 * 1024 * 1024);
  });

  it("refuses a body of 400 MB that does not say its length, without reading it all", async () => {
    const { port } = await serve(await open(), { limits: small });
    const piece = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536), Buffer.from("\r\n")]);
    const { answered, taken } = await pour(port, head("transfer-encoding: chunked"), piece, 400 * 1024 * 1024);
    expect(answered).toContain("HTTP/1.1 413 Payload Too Large");
    expect(taken).toBeLessThan(40 * 1024 * 1024);
  });

  it("reads no more than the promised length, and what follows is no request", async () => {
    const database = await open();
    const { port } = await serve(database);
    const { answered } = await pour(port, head("content-length: 2"), Buffer.from(`{}{"action":"opened"}`), 1);
    expect(answered).toMatch(/^HTTP\/1\.1 40[01] /);
    expect(answered).not.toContain("HTTP/1.1 2");
    expect(await receipts(database)).toEqual([]);
  });

  it("cuts off a client that promises more than it sends", async () => {
    const { port } = await serve(await open(), { limits: { patience: 50 } });
    const { answered } = await pour(port, head("content-length: 1000"), Buffer.from("{"), 1);
    expect(answered).toContain("HTTP/1.1 408 Request Timeout");
  });

  it("has patience with its head for ten seconds, and not longer with all of it than half a minute", () => {
    expect(patientServer).toMatchObject({ headersTimeout: 10_000, requestTimeout: 30_000 });
  });

  it("takes no more bodies at once than its memory allows, and goes on when they are through", async () => {
    const { port, post } = await serve(await open(), { limits: { together: 1_000, patience: 60_000 } });
    const holding = connect({ port, host: "127.0.0.1" });
    holding.write(head("content-length: 900") + "x".repeat(800));
    const body = JSON.stringify({ ...payload, filler: "x".repeat(500) });
    await until("another is turned away", async () => (await post(body)).status === 503);
    expect(await post(body)).toMatchObject({ status: 503, headers: { "retry-after": "30" } });
    holding.destroy();
    await until("there is room again", async () => (await post(body)).status === 202);
  });

  it("lives on when a client goes away in the middle", async () => {
    const database = await open();
    const { port, post } = await serve(database);
    for (let times = 0; times < 20; times += 1) {
      const socket = connect({ port, host: "127.0.0.1" });
      await new Promise((resolve) => socket.write(`${head("content-length: 900")}x`, resolve));
      socket.destroy();
    }
    expect(await post(JSON.stringify(payload))).toMatchObject({ status: 202 });
    expect(await receipts(database)).toHaveLength(1);
  });

  it("takes many deliveries on one connection", async () => {
    const database = await open();
    const { port } = await serve(database);
    const one = head("content-length: 2").replace(sign(""), sign("{}"));
    const { answered } = await pour(
      port,
      `${one}{}`.repeat(4),
      Buffer.from(`${one.replace("host: x", "host: x\r\nconnection: close")}{}`),
      1,
    );
    expect(answered.match(/HTTP\/1\.1 202 Accepted/g)).toHaveLength(5);
    expect(await receipts(database)).toHaveLength(5);
  });
});
