import { setTimeout as wait } from "node:timers/promises";
import type { Destination } from "./destination.ts";
import { Host } from "./host.ts";
import type { RollOut } from "./roll-out.ts";

/** A server, with what it had when its turn began. */
export interface Server {
  readonly host: Host;
  readonly live: string | null;
  readonly releases: readonly string[];
}

/** Has every server put back what it had, reaching those again whose connection was lost; gives those of which nobody knows what is live. */
export async function undo(order: RollOut, hosts: readonly Host[], servers: readonly Server[]): Promise<readonly Host[]> {
  const ends = await Promise.all(hosts.map(async (host) => ({ host, isBack: await host.end() })));
  const unsure: Host[] = [];
  for (const { host, isBack } of ends.filter(({ host }) => host.touched)) {
    const before = servers.find((server) => server.host === host)?.live ?? null;
    // Of a first release nothing can be put back; where the restart failed twice nobody knows what answers.
    const known = before !== null && (isBack ?? (await liveAgain(host.destination, order)) === before);
    if (!known) unsure.push(host);
  }
  return unsure;
}

/** How often, and after how many milliseconds, a server is tried whose connection was lost. */
const pauses = [0, 1_000, 4_000];
/** How long its remote shell, which puts back what was live, may hold the lock. */
const patience = 75_000;

/** Reaches a server again, waits until it has put back what it had, and says what is live; undefined when it cannot be reached. */
export async function liveAgain(destination: Destination, { means }: RollOut): Promise<string | null | undefined> {
  for (const pause of pauses) {
    await wait(pause);
    const host = new Host(destination, means);
    const timer = setTimeout(() => host.interrupt(new Error("no turn in time")), patience);
    try {
      await host.enter();
      return (await host.takeTurn()).live;
    } catch {
      // The next try, or nobody, tells.
    } finally {
      clearTimeout(timer);
      await host.end();
    }
  }
  return undefined;
}
