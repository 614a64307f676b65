import { listen, webhookPath } from "./doors/http.ts";
import { patientServer } from "./doors/webhooks/ingest.ts";
import { openSignalbox, type Signalbox, type SignalboxOptions } from "./signalbox.ts";

export interface Server extends Pick<Signalbox, "settled" | "stop" | "database"> {
  /** Where it listens, which a proxy in front of it may hide from people. */
  readonly url: string;
}

/** Opens everything and listens. `stop` takes at most 30 seconds, and nothing that was acknowledged is lost. */
export async function startServer(options: SignalboxOptions): Promise<Server> {
  const { settings, log } = options;
  const signalbox = await openSignalbox(options);
  try {
    const http = await listen(signalbox.doors, settings, patientServer);
    const url = `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${http.port}`;
    const proxy =
      settings.webhookProxyUrl === null
        ? null
        : (await import("./doors/webhooks/proxy.ts")).startProxy({
            source: settings.webhookProxyUrl,
            target: `${url}${webhookPath}`,
            log,
          });
    log.info(
      {
        url,
        publicUrl: settings.publicUrl,
        sandbox: signalbox.sandbox,
        database: signalbox.database.engine,
        role: settings.role,
      },
      "Signalbox is ready",
    );
    return {
      url,
      database: signalbox.database,
      settled: () => signalbox.settled(),
      async stop() {
        await proxy?.close();
        // The pages' streams end with the rest, so both go on at the same time.
        await Promise.all([http.close(2_000), signalbox.stop()]);
      },
    };
  } catch (error) {
    await signalbox.stop();
    throw error;
  }
}
