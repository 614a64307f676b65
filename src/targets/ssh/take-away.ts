import type { Io } from "../../process/io.ts";
import type { Removed } from "../target.ts";
import type { Destination } from "./destination.ts";
import { Host, type Means } from "./host.ts";

/** Takes a site away from every server, one after the other; those that are done when one fails are found empty the next time. */
export async function takeAway(destinations: readonly Destination[], means: Means, { stop }: Pick<Io, "stop">): Promise<Removed> {
  for (const destination of destinations) {
    stop.throwIfAborted();
    const host = new Host(destination, means);
    const interrupt = () => host.interrupt(stop.reason);
    stop.addEventListener("abort", interrupt, { once: true });
    try {
      await host.enter();
      await host.takeTurn();
      await host.takeAway();
    } finally {
      stop.removeEventListener("abort", interrupt);
      await host.end();
    }
  }
  return { kind: "removed" };
}
