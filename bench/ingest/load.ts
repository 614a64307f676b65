import { connect } from "node:net";
import { quantile } from "../support/measure.ts";
import { path, sampleDelivery } from "./delivery.ts";

/** Sends deliveries over connections that are kept, the next as soon as one is answered. Bare sockets, so that it is faster than what it measures. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly milliseconds: number;
}

export interface Result {
  readonly accepted: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const { body, signature } = sampleDelivery();
let ticks = (Date.now() * 10_000) % 2 ** 32;

process.on("message", async ({ port, connections, milliseconds }: Load) => {
  const started = performance.now();
  const until = started + milliseconds;
  const latencies = (await Promise.all(Array.from({ length: connections }, () => sendUntil(port, until)))).flat();
  const seconds = (performance.now() - started) / 1_000;
  const result: Result = {
    accepted: latencies.length,
    perSecond: latencies.length / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
  process.send?.(result);
});
process.on("disconnect", () => process.exit());
process.send?.("ready");

function sendUntil(port: number, until: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const latencies: number[] = [];
    const socket = connect(port, "127.0.0.1").setNoDelay(true);
    let sentAt = 0;
    let received = "";
    socket.on("connect", send).on("error", reject);
    socket.on("close", () => reject(new Error("The server closed the connection")));
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (!isWhole(received)) return;
      const now = performance.now();
      if (!/^HTTP\/1\.1 20[02] /.test(received)) return reject(new Error(`Not accepted: ${received.split("\r\n", 1)[0]}`));
      latencies.push(now - sentAt);
      received = "";
      if (now < until) return send();
      socket.removeAllListeners("close").end();
      resolve(latencies);
    });

    function send(): void {
      sentAt = performance.now();
      socket.cork();
      socket.write(headOf(nextGuid()));
      socket.write(body);
      socket.uncork();
    }
  });
}

/** GitHub's GUIDs count time, as version 1 of UUIDs does: those of one moment are neighbours in an index. */
function nextGuid(): string {
  ticks = (ticks + 997) % 2 ** 32;
  return `${ticks.toString(16).padStart(8, "0")}-cc78-11e3-81ab-4c9367dc0958`;
}

function headOf(guid: string): string {
  const headers = {
    host: "127.0.0.1",
    "user-agent": "GitHub-Hookshot/044aadd",
    "content-type": "application/json",
    "content-length": body.length,
    "x-github-event": "pull_request",
    "x-github-delivery": guid,
    "x-hub-signature-256": signature,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Knows both ways in which these servers end an answer. */
function isWhole(received: string): boolean {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, end + 2))?.[1];
  return length === undefined ? received.endsWith("0\r\n\r\n") : received.length >= end + 4 + Number(length);
}
