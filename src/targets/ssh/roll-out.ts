import type { Io } from "../../process/io.ts";
import { titleOf } from "../in-sandbox.ts";
import { inParallel } from "../release/in-parallel.ts";
import { releaseName, releasesToRemove } from "../release/names.ts";
import { Refusal } from "../release/refusal.ts";
import { type Deployed, OperatorProblem } from "../target.ts";
import type { Destination } from "./destination.ts";
import { type ServerHealth, untilHealthy } from "./health.ts";
import { type Content, Host, type Means } from "./host.ts";
import { Unreachable } from "./problems.ts";
import { liveAgain, type Server, undo } from "./undo.ts";

/** What is to become live on all servers, or on none. */
export interface RollOut {
  /** In the order in which they are switched. */
  readonly destinations: readonly Destination[];
  readonly means: Means;
  /** A new release, or the name of one that is there; asked for while the servers are being reached, and none is told anything before. */
  release(): Promise<Content | string>;
  /** How many servers are switched at once. */
  readonly batch: number;
  readonly restart: string | null;
  /** What a server must answer before the next batch is switched. */
  readonly health: ServerHealth | null;
  readonly keep: number;
  readonly io: Io;
}

/**
 * Brings a release to every server, then makes it live batch by batch. Where one fails, all those already switched are put back. Resolves
 * when nothing of it works on any server that can be reached.
 */
export async function rollOut(order: RollOut): Promise<Deployed> {
  const { destinations, means, io } = order;
  io.stop.throwIfAborted();
  const hosts = destinations.map((destination) => new Host(destination, means));
  const failing = new AbortController();
  const stop = AbortSignal.any([io.stop, failing.signal]);
  const onStop = () => {
    for (const host of hosts) host.interrupt(stop.reason);
  };
  stop.addEventListener("abort", onStop, { once: true });
  /** The first that fails ends what the others do. */
  const each: Each = (items, work) =>
    inParallel(items, (item) =>
      work(item).catch((error) => {
        failing.abort(error);
        throw error;
      }),
    );
  let servers: readonly Server[] = [];
  try {
    const release = await order.release();
    await each(hosts, (host) => host.enter());
    // One after the other, and in the same order for everybody: two deployments to the same servers would wait for each other.
    const taken = new Map<Host, Server>();
    for (const host of byAddress(hosts)) taken.set(host, { host, ...(await host.takeTurn()) });
    servers = hosts.flatMap((host) => taken.get(host) ?? []);
    const name = await bring(release, means.order.sha, servers, each);
    for (let at = 0; at < servers.length; at += order.batch) {
      stop.throwIfAborted();
      await each(servers.slice(at, at + order.batch), (server) => goLive(server, name, order, stop));
    }
    stop.removeEventListener("abort", onStop);
    return await settle(order, servers, name);
  } catch (error) {
    stop.removeEventListener("abort", onStop);
    const unsure = await undo(order, hosts, servers);
    if (io.stop.aborted) throw io.stop.reason;
    return said(failing.signal.aborted ? failing.signal.reason : error, hosts, unsure);
  }
}

type Each = <Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>) => Promise<readonly Result[]>;

/** Deployments to the same servers by two environments may name them in another order. */
function byAddress(hosts: readonly Host[]): readonly Host[] {
  const address = ({ destination: { host, port } }: Host) => `${host}:${port}`;
  return hosts.toSorted((one, other) => (address(one) < address(other) ? -1 : 1));
}

/** Makes the release on every server, or finds it there, and gives its name, which is the same everywhere. */
async function bring(release: Content | string, sha: string, servers: readonly Server[], each: Each): Promise<string> {
  if (typeof release === "string") {
    const without = servers.find(({ releases }) => !releases.includes(release));
    if (without === undefined) return release;
    throw new Refusal(`releases/${release} is not on ${without.host.destination.name} any more; deploy its commit again`);
  }
  const everywhere = servers.flatMap(({ releases }) => releases);
  const name = releaseName(sha, new Date(), everywhere);
  await each(servers, ({ host, live }) => host.make(name, live, release));
  return name;
}

async function goLive(
  { host, live }: Server,
  name: string,
  { restart, health }: Pick<RollOut, "restart" | "health">,
  stop: AbortSignal,
): Promise<void> {
  await host.switchTo(name, live);
  if (restart !== null) {
    const status = await host.restart(name, restart);
    if (status !== 0) throw new Refusal(`${titleOf(restart)} exited with ${status} on ${host.destination.name}`);
  }
  if (health !== null) await untilHealthy(host, name, health, stop);
}

/** The end, well or badly, of a deployment that is live everywhere but not yet for good. */
async function settle(order: RollOut, servers: readonly Server[], name: string): Promise<Deployed> {
  const kept = await Promise.allSettled(servers.map(({ host }) => host.keep()));
  const lost = servers.filter((_, index) => kept[index]?.status === "rejected");
  for (const { host } of lost) {
    if ((await liveAgain(host.destination, order)) === name) continue;
    const others = servers.filter((server) => !lost.includes(server) && server.live !== null);
    for (const { host, live } of others) await host.takeBack(name, live ?? "").catch(() => {});
    throw new Unreachable(`the connection to ${host.destination.name} ended right after the switch`);
  }
  for (const { host, releases } of servers) {
    // What cannot be removed now is removed another time; the release is live.
    await host.forget(releasesToRemove(releases, name, order.keep)).catch(() => {});
  }
  await Promise.all(servers.map(({ host }) => host.end()));
  return { kind: "live", release: { path: `releases/${name}` } };
}

function said(error: unknown, hosts: readonly Host[], unsure: readonly Host[]): Deployed {
  const touched = hosts.some((host) => host.touched);
  const isOurs = error instanceof Refusal || error instanceof Unreachable || error instanceof OperatorProblem;
  if (!isOurs || (!touched && !(error instanceof Refusal))) throw error;
  if (unsure.length > 0) {
    const names = unsure.map(({ destination }) => destination.name).join(", ");
    return { kind: "refused", reason: `${error.message}; what is live on ${names} is not certain`, live: "unknown" };
  }
  const back = touched ? "; the release before is live again" : "";
  return { kind: "refused", reason: `${error.message}${back}`, live: "unchanged" };
}
