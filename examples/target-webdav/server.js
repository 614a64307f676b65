import { createReadStream } from "node:fs";

/** The requests to a WebDAV server (https://www.rfc-editor.org/rfc/rfc4918) that a deployment needs. Each may be repeated. */
export function webdavServer({ url, user, password, fetch }) {
  const base = url.replace(/\/+$/, "");
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const at = (path) => `${base}/${path.split("/").map(encodeURIComponent).join("/")}`;

  async function ask(method, path, { headers = {}, accepts = [], ...more } = {}) {
    const response = await fetch(at(path), { method, redirects: 0, headers: { authorization, ...headers }, ...more });
    await response.body?.cancel();
    if (response.ok || accepts.includes(response.status)) return response.status;
    if (response.status === 401) throw new Refused("the server does not accept the user and the password");
    throw new Refused(`the server answered ${response.status} to ${method} ${path}`);
  }

  return {
    has: async (path, signal) => (await ask("HEAD", path, { accepts: [404], signal })) !== 404,
    // 405: it is there already.
    makeFolder: (path, signal) => ask("MKCOL", path, { accepts: [405], signal }),
    put: (path, { path: source, size }, signal) =>
      ask("PUT", path, { body: { size, read: () => createReadStream(source) }, timeout: 600_000, signal }),
    copy: (from, to, signal) =>
      ask("COPY", from, { headers: { destination: at(to), overwrite: "T", depth: "infinity" }, signal }),
    // Without a signal: what is being switched is waited for.
    move: (from, to) => ask("MOVE", from, { headers: { destination: at(to), overwrite: "T" } }),
  };
}

/** What the author of the repository's file can mend. */
export class Refused extends Error {}
