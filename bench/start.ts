import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { path, sampleDelivery } from "./ingest/delivery.ts";
import { type Figure, type Measure, median } from "./support/measure.ts";
import { serverEnvironment } from "./support/server-environment.ts";

const rounds = 5;
/** How long a server is left alone before its memory is read, in milliseconds. */
const idle = 3_000;

export const measure: Measure = {
  title: "from the start of the process to the first accepted delivery, and memory when idle; the peer is a no-op Probot app",
  async run() {
    const ours: Started[] = [];
    const peers: Started[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await startOurs());
      peers.push(await startPeer());
    }
    const figure = (what: string, value: (one: Started) => number, unit: string, aim: Figure["aim"]): Figure => ({
      what,
      value: `signalbox ${median(ours.map(value)).toFixed(0)} ${unit}, probot ${median(peers.map(value)).toFixed(0)} ${unit}`,
      ratio: median(ours.map(value)) / median(peers.map(value)),
      ...(aim === undefined ? {} : { aim }),
    });
    return [
      figure("start to first accepted delivery", ({ accepted }) => accepted, "ms", undefined),
      figure("memory when idle", ({ memory }) => memory, "MB", undefined),
    ];
  },
};

interface Started {
  /** Milliseconds. */
  readonly accepted: number;
  /** Resident, in megabytes. */
  readonly memory: number;
}

async function startOurs(): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
  try {
    const { env, url } = await serverEnvironment(folder, "127.0.0.1:9");
    return await start([join(import.meta.dirname, "..", "bin", "signalbox"), "start"], env, url);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startPeer(): Promise<Started> {
  const { env, url } = await serverEnvironment("none", "127.0.0.1:9");
  return start(["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "start", "probot-app.ts")], env, url);
}

async function start(words: readonly string[], env: Record<string, string>, url: string): Promise<Started> {
  const began = performance.now();
  const child = spawn(process.execPath, words, { env, stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    while (!(await deliver(url))) {
      if (child.exitCode !== null) throw new Error(`${words.join(" ")} ended with ${child.exitCode}`);
      await delay(5);
    }
    const accepted = performance.now() - began;
    await delay(idle);
    return { accepted, memory: residentMegabytes(child.pid ?? 0) };
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

async function deliver(url: string): Promise<boolean> {
  const { body, signature } = sampleDelivery();
  const headers = {
    "content-type": "application/json",
    "x-github-event": "pull_request",
    "x-github-delivery": crypto.randomUUID(),
    "x-hub-signature-256": signature,
  };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body }).catch(() => null);
  await response?.body?.cancel();
  return response?.ok === true;
}

function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1_024;
}
