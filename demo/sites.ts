import { createReadStream } from "node:fs";
import { realpath } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** The web server of the demo's "production": serves what is `current` in each environment of a folder. */
export async function serveSites(folder: string): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const [, environment = "", file = ""] = /^\/([\w-]+)\/([\w.-]*)$/.exec(request.url ?? "") ?? [];
    try {
      // Resolved once, so that a switch in the middle never mixes two releases.
      const release = await realpath(join(folder, environment, "current"));
      const stream = createReadStream(join(release, file || "index.html"));
      stream.on("error", () => response.writeHead(404).end("Not here\n"));
      stream.on("open", () => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }));
      stream.pipe(response);
    } catch {
      response.writeHead(404).end("Nothing is live here yet\n");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
