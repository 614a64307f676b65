import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export interface WebdavServer {
  readonly url: string;
  /** The text of a file; null where there is none. */
  read(path: string): Promise<string | null>;
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** A WebDAV server for a folder of its own, as far as deployments need one: https://www.rfc-editor.org/rfc/rfc4918 */
export async function startWebdav(user: string, password: string): Promise<WebdavServer> {
  const root = await mkdtemp(join(tmpdir(), "signalbox-webdav-"));
  const asked: string[] = [];
  const at = (url: string) => resolve(root, `.${decodeURIComponent(new URL(url, "http://webdav").pathname)}`);
  const exists = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    );

  async function answer(request: IncomingMessage, body: Buffer): Promise<number> {
    const { method = "", url = "/", headers } = request;
    const path = at(url);
    asked.push(`${method} ${url}`);
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    if (headers.authorization !== expected) return 401;
    const to = headers.destination === undefined ? "" : at(String(headers.destination));
    switch (method) {
      case "HEAD":
        return (await exists(path)) ? 200 : 404;
      case "MKCOL":
        if (await exists(path)) return 405;
        if (!(await exists(join(path, "..")))) return 409;
        await mkdir(path);
        return 201;
      case "PUT":
        if (!(await exists(join(path, "..")))) return 409;
        await writeFile(path, body);
        return 201;
      case "COPY":
      case "MOVE":
        if (!(await exists(path))) return 404;
        if (headers.overwrite !== "T") return 412;
        await rm(to, { recursive: true, force: true });
        await (method === "COPY" ? cp(path, to, { recursive: true }) : rename(path, to));
        return 201;
      default:
        return 501;
    }
  }

  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    response.writeHead(await answer(request, Buffer.concat(pieces))).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    read: (path) => readFile(join(root, path), "utf8").catch(() => null),
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await rm(root, { recursive: true, force: true });
    },
  };
}
