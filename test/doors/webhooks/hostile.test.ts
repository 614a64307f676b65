import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { engines } from "../../support/engines.ts";
import { until } from "../../support/until.ts";
import { guid, headersFor, send, sign, useIngest } from "./ingest-server.ts";

const [, storage] = engines()[0] ?? [];
const { serve, receipts } = useIngest();
const open = async () => {
  if (storage === undefined) throw new Error("no engine");
  return storage.open();
};
const body = JSON.stringify({ action: "opened" });

const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

/** A connection that has said so much and no more. */
function say(port: number, start: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" }, () =>
      start === "" ? resolve(socket) : socket.write(start, () => resolve(socket)),
    );
    socket.once("error", reject);
    sockets.add(socket);
  });
}

describe("clients that hold the server up", () => {
  it("do not stop deliveries: 2,000 that say nothing, 200 that never end their heads, and 200 that never end their bodies", async () => {
    const database = await open();
    const { port, post } = await serve(database);
    const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-github-event: push\r\nx-github-delivery: ${guid}\r\nx-hub-signature-256: ${sign(body)}\r\n`;
    const idle = Array.from({ length: 2_000 }, () => say(port, ""));
    const heads = await Promise.all(Array.from({ length: 200 }, () => say(port, head)));
    const bodies = await Promise.all(Array.from({ length: 200 }, () => say(port, `${head}content-length: 1000\r\n\r\n{`)));
    await Promise.all(idle);
    // A drop at a time, for as long as the deliveries take.
    const drip = setInterval(() => {
      for (const socket of heads) socket.write("x-a: b\r\n");
      for (const socket of bodies) socket.write(" ");
    }, 20);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, number) => post(body, { "x-github-delivery": `${number}` })),
    );
    clearInterval(drip);
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(202));
    expect(await receipts(database)).toHaveLength(100);
  });
});

describe("whatever arrives", () => {
  const text = fc.string({ unit: "binary-ascii" });
  /** What a header may hold. */
  const visible = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,70}[\x21-\x7e])?$/);
  const anyBody = fc.oneof(
    fc.json().map(Buffer.from),
    fc.dictionary(text, fc.jsonValue()).map((value) => Buffer.from(JSON.stringify(value))),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([Buffer.from("{"), bytes, Buffer.from("}")])),
    fc.json().map((json) => Buffer.from(new URLSearchParams({ payload: json }).toString())),
    text.map((value) => Buffer.from(`payload=${value}`)),
  );
  const mostly = <T>(usual: T, other: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
  const anything = fc.record({
    body: anyBody,
    event: mostly("push", fc.oneof(visible, fc.constantFrom("ping", "star", "pull_request"))),
    delivery: mostly(guid, visible),
    type: mostly("application/json", fc.oneof(visible, fc.constant("application/x-www-form-urlencoded; charset=utf-8"))),
    signature: fc.oneof(
      fc.constant("right" as const),
      fc.constantFrom("of another body" as const, "with another secret" as const, "in capitals" as const, "cut" as const),
      visible,
    ),
  });

  function signatureOf(kind: string, signed: Buffer): string {
    switch (kind) {
      case "right":
        return sign(signed);
      case "of another body":
        return sign(Buffer.concat([signed, Buffer.from(" ")]));
      case "with another secret":
        return sign(signed, "guess");
      case "in capitals":
        return sign(signed).toUpperCase();
      case "cut":
        return sign(signed).slice(0, -1);
      default:
        return kind;
    }
  }

  it("is answered, stored as one receipt exactly when it is accepted, and never without a right signature", async () => {
    const database = await open();
    const { port } = await serve(database);
    let [stored, accepted] = [0, 0];
    await fc.assert(
      fc.asyncProperty(anything, async ({ body: sent, event, delivery, type, signature }) => {
        const answer = await send(port, sent, {
          "content-type": type,
          "x-github-event": event,
          "x-github-delivery": delivery,
          "x-hub-signature-256": signatureOf(signature, sent),
        });
        expect([200, 202, 400, 401, 415]).toContain(answer.status);
        const now = (await receipts(database)).length;
        expect(now - stored).toBe(answer.status < 300 ? 1 : 0);
        if (answer.status < 300) expect(signature).toBe("right");
        accepted += now - stored;
        stored = now;
      }),
      { numRuns: 400, interruptAfterTimeLimit: 40_000 },
    );
    expect(accepted).toBeGreaterThan(0);
    for (const { state, error } of await receipts(database)) expect(state === "failed").toBe(error !== null);
  });

  it("leaves room for the next, however many clients break off wherever they like", async () => {
    const database = await open();
    const { port, post } = await serve(database, { limits: { together: 20_000 } });
    const whole = Buffer.concat([
      Buffer.from(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n`),
      Buffer.from(
        Object.entries(headersFor(body))
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join(""),
      ),
      Buffer.from("\r\n"),
      Buffer.alloc(9_000, " "),
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: whole.length - 1 }),
        fc.nat({ max: whole.length - 1 }),
        fc.nat({ max: 255 }),
        async (end, at, byte) => {
          const bytes = Buffer.from(whole.subarray(0, end));
          if (at < end) bytes[at] = byte;
          const socket = await say(port, "");
          socket.on("error", () => {});
          await new Promise((resolve) => socket.write(bytes, resolve));
          socket.destroy();
        },
      ),
      { numRuns: 300, interruptAfterTimeLimit: 20_000 },
    );
    const large = JSON.stringify({ action: "opened", filler: "x".repeat(19_000) });
    await until("there is room", async () => (await post(large)).status === 202);
    expect((await receipts(database)).every((row) => row.body === large)).toBe(true);
  });
});
