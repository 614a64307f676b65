import { createServer, type RequestListener } from "node:http";

/** Listens on a free port of loopback and tells it to the parent process. */
export function listen(listener: RequestListener): void {
  const server = createServer(listener).listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object" && address !== null) process.send?.(address.port);
  });
  process.on("disconnect", () => process.exit());
}
