import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { emitterWake, type Topic, type Wake } from "./wake.ts";

const channel = "signalbox";

/** Wakes all replicas by `notify`, heard on a connection of its own that is rebuilt when it breaks. */
export async function postgresWake(url: string): Promise<Wake & { close(): Promise<void> }> {
  const local = emitterWake();
  const closing = new AbortController();
  let client = await listen(url, local, reconnect);

  /** Until it is back, this process wakes itself and the slow look of each listener stands in for the others. */
  async function reconnect(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const fresh = await listen(url, local, reconnect);
        if (closing.signal.aborted) await fresh.end();
        else client = fresh;
        return;
      } catch {
        await delay(1_000, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  }

  const toRing = new Set<Topic>();
  let ringing = false;

  /** One after the other; a topic that is rung many times meanwhile is told once. */
  async function ringAll(): Promise<void> {
    ringing = true;
    for (const topic of toRing) {
      toRing.delete(topic);
      await client.query("select pg_notify($1, $2)", [channel, topic]).catch(() => local.ring(topic));
    }
    ringing = false;
  }

  return {
    on: local.on,
    ring(topic) {
      toRing.add(topic);
      if (!ringing) void ringAll();
    },
    async close() {
      closing.abort();
      await client.end().catch(() => {});
    },
  };
}

/** `onEnd` is called once, when a connection that listened is lost; never for one that could not be made. */
async function listen(url: string, local: Wake, onEnd: () => void): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: 10_000 });
  client.on("notification", ({ payload }) => local.ring(payload as Topic));
  // Without a listener the error would end the process; what follows it is "end".
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(`listen ${channel}`);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  client.once("end", onEnd);
  return client;
}
