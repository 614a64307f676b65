import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitSource, type Mirrors, openMirrors } from "../../src/process/checkout.ts";
import { type HostedRepository, hostRepository, serveGit } from "./git-host.ts";

const token = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
const attributes = { ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n" };

/** What the host has, by its SHA-256, and how it answers; as https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md says. */
const storage = new Map<string, Buffer>();
let answers: { batch: number; file: number; elsewhere: string | null };
let asked: { url: string; authorization: string | undefined }[];

let folder: string;
let server: Awaited<ReturnType<typeof serveGit>>;
let host: HostedRepository;
let source: GitSource;
let mirrors: Mirrors;
beforeEach(async () => {
  storage.clear();
  answers = { batch: 200, file: 200, elsewhere: null };
  asked = [];
  folder = await mkdtemp(join(tmpdir(), "signalbox-large-"));
  await mkdir(join(folder, "hosted"));
  host = await hostRepository(join(folder, "hosted"));
  server = await serveGit(join(folder, "hosted"), token, serveLargeFiles);
  source = { id: 1, cloneUrl: `${server.origin}/hosted.git`, token: async () => token };
  mirrors = openMirrors(join(folder, "mirrors"));
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

function serveLargeFiles(request: IncomingMessage, response: ServerResponse): boolean {
  const url = request.url ?? "";
  const { authorization } = request.headers;
  if (url.endsWith("/info/lfs/objects/batch")) {
    asked.push({ url, authorization });
    let text = "";
    request.on("data", (piece) => {
      text += piece;
    });
    request.on("end", () => {
      const { objects }: { objects: { oid: string; size: number }[] } = JSON.parse(text);
      const base = answers.elsewhere ?? server.origin;
      const found = objects.map(({ oid, size }) =>
        storage.has(oid)
          ? { oid, size, actions: { download: { href: `${base}/media/${oid}`, header: { "x-signed": "yes" } } } }
          : { oid, size, error: { code: 404, message: "Object does not exist" } },
      );
      response.writeHead(answers.batch, { "content-type": "application/vnd.git-lfs+json" });
      response.end(JSON.stringify({ transfer: "basic", objects: found }));
    });
    return true;
  }
  const oid = /^\/media\/([0-9a-f]{64})$/.exec(url)?.[1];
  if (oid === undefined) return false;
  asked.push({ url, authorization });
  response.writeHead(request.headers["x-signed"] === "yes" ? answers.file : 403).end(storage.get(oid));
  return true;
}

/** Stores a file at the host and gives its pointer. */
function stored(content: string): string {
  const bytes = Buffer.from(content);
  const oid = createHash("sha256").update(bytes).digest("hex");
  storage.set(oid, bytes);
  return pointer(oid, bytes.length);
}

function pointer(oid: string, size: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;
}

async function checkOut(sha: string, into = join(folder, "into")): Promise<string> {
  await mirrors.fetch(source, "run", [sha]);
  await mirrors.checkOut(source, "run", sha, into);
  return into;
}

const read = (into: string, name: string) => readFile(join(into, name), "utf8");

describe("a large file", () => {
  it("comes in the place of its pointer, asked for with the token of the repository and kept for the next time", async () => {
    const text = "large\n".repeat(100_000);
    const sha = await host.commit({ ...attributes, "a.bin": stored(text), "d/it's b.bin": stored("small"), "c.txt": "c" });
    const into = await checkOut(sha);
    expect(await read(into, "a.bin")).toBe(text);
    expect(await read(into, "d/it's b.bin")).toBe("small");
    expect(await read(into, "c.txt")).toBe("c");
    expect(await readdir(join(into, ".git"))).not.toContain("large-files");
    expect(asked).toHaveLength(3);
    expect(asked[0]).toEqual({
      url: "/hosted.git/info/lfs/objects/batch",
      authorization: `Basic ${btoa(`x-access-token:${token}`)}`,
    });
    // Where the file lies the token is not needed, and not shown.
    expect(asked.slice(1).every(({ authorization }) => authorization === undefined)).toBe(true);

    expect(await read(await checkOut(sha, join(folder, "again")), "a.bin")).toBe(text);
    expect(asked).toHaveLength(3);
  });

  it("that is none but is called so comes as it is, byte by byte", async () => {
    const odd = {
      "a.bin": "a\0b\n\n",
      "empty.bin": "",
      "almost.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:12\n",
    };
    const into = await checkOut(await host.commit({ ...attributes, ...odd }));
    for (const [name, text] of Object.entries(odd)) expect(await read(into, name)).toBe(text);
    expect(asked).toEqual([]);
  });

  it("is not asked for where the repository uses none", async () => {
    const text = stored("large");
    expect(await read(await checkOut(await host.commit({ "a.bin": text })), "a.bin")).toBe(text);
    expect(asked).toEqual([]);
  });

  it("is not fetched from where .lfsconfig says", async () => {
    const lfsconfig = `[lfs]\n\turl = http://127.0.0.1:1/evil\n`;
    const into = await checkOut(await host.commit({ ...attributes, ".lfsconfig": lfsconfig, "a.bin": stored("large") }));
    expect(await read(into, "a.bin")).toBe("large");
  });

  it.each([
    ["the host does not have", () => pointer("0123".repeat(16), 5), "refused", "git lfs push --all"],
    [
      "comes with another content",
      () => stored("right").replace(/oid sha256:(\w+)/, (_, oid) => swap(oid)),
      "refused",
      "another content",
    ],
    ["is larger than its pointer says", () => stored("large").replace("size 5", "size 3"), "refused", "larger than its pointer"],
  ])("that %s fails the checkout, and nothing is left", async (_, text, failure, words) => {
    const sha = await host.commit({ ...attributes, "a.bin": text() });
    await expect(checkOut(sha)).rejects.toMatchObject({ name: "GitError", failure, message: expect.stringContaining(words) });
    expect(existsSync(join(folder, "into"))).toBe(false);
    expect(await readdir(join(folder, "mirrors", "1", "lfs"))).toEqual([]);
  });

  function swap(oid: string): string {
    const other = "f".repeat(64);
    storage.set(other, storage.get(oid) ?? Buffer.alloc(0));
    return `oid sha256:${other}`;
  }

  it.each([
    [401, "retryable"],
    [429, "retryable"],
    [503, "retryable"],
    [403, "refused"],
    [404, "refused"],
  ])("that the host refuses with %i is %s", async (status, failure) => {
    const sha = await host.commit({ ...attributes, "a.bin": stored("large") });
    answers.batch = status;
    await expect(checkOut(sha)).rejects.toMatchObject({ failure, message: expect.stringContaining(`answered ${status}`) });
    answers.batch = 200;
    answers.file = status;
    await expect(checkOut(sha)).rejects.toMatchObject({ failure });
    answers.file = 200;
    expect(await read(await checkOut(sha), "a.bin")).toBe("large");
  });

  it("whose place does not answer is retryable, and one whose place is no web address is refused", async () => {
    const sha = await host.commit({ ...attributes, "a.bin": stored("large") });
    answers.elsewhere = "http://127.0.0.1:1";
    await expect(checkOut(sha)).rejects.toMatchObject({ failure: "retryable" });
    answers.elsewhere = "file:///etc";
    await expect(checkOut(sha)).rejects.toMatchObject({ failure: "refused" });
  });

  it("runs no command that its name or its pointer holds", async () => {
    const proof = join(folder, "proof");
    const names = [`$(touch ${proof.replaceAll("/", "\\57")}).bin`, "`touch proof`.bin", "'; touch proof; '.bin", "-n.bin"];
    const files = Object.fromEntries(names.map((name) => [name, stored(`$(touch ${proof}) ${name}`)]));
    const into = await checkOut(await host.commit({ ...attributes, ...files }));
    for (const name of names) expect(await read(into, name)).toBe(`$(touch ${proof}) ${name}`);
    expect(existsSync(proof) || existsSync(join(into, "proof"))).toBe(false);
  });

  it("goes when no checkout needed it for two weeks", async () => {
    await checkOut(await host.commit({ ...attributes, "a.bin": stored("old"), "b.bin": stored("new") }));
    const store = join(folder, "mirrors", "1", "lfs");
    const [first = "", second = ""] = await readdir(store);
    await utimes(join(store, first), new Date(0), new Date(Date.now() - 15 * 86_400_000));
    await mirrors.tidyAll(() => true);
    expect(await readdir(store)).toEqual([second]);
  });
});
