import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GitError, type GitFailure, type GitSetup } from "./git.ts";
import type { GitSource } from "./mirror.ts";

/** What a pointer says of a file: its SHA-256 and its size in bytes. */
export interface LargeFile {
  readonly oid: string;
  readonly size: number;
}

interface Download {
  readonly source: GitSource;
  readonly setup: GitSetup;
  readonly stop: AbortSignal | undefined;
}

/**
 * Fetches files into a folder, each whole and with the content that its pointer promises. The token goes to the repository's own host alone;
 * that host may say that the files lie elsewhere. See https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
 */
export async function downloadLargeFiles(download: Download, files: readonly LargeFile[], into: string): Promise<void> {
  const wanted = [...new Map(files.map((file) => [file.oid, file])).values()];
  await mkdir(into, { recursive: true, mode: 0o700 });
  for (let start = 0; start < wanted.length; start += 100) {
    const batch = wanted.slice(start, start + 100);
    const places = await askFor(download, batch);
    for (const file of batch) await bring(download, file, places.get(file.oid), into);
  }
}

const doing = "fetch the large files of Git LFS";
const mediaType = "application/vnd.git-lfs+json";

interface Place {
  readonly href: string;
  readonly header: Readonly<Record<string, string>>;
}

async function askFor({ source, setup, stop }: Download, files: readonly LargeFile[]): Promise<ReadonlyMap<string, Place>> {
  const url = URL.parse(`${source.cloneUrl.replace(/\/+$/, "").replace(/\.git$/, "")}.git/info/lfs/objects/batch`);
  if (!url || !isWeb(url, setup)) throw new GitError("refused", doing, `${source.cloneUrl} is not on the web`);
  const token = await source.token();
  const answer = await request(url, stop, {
    method: "POST",
    // A redirect would take the token elsewhere.
    redirect: "error",
    headers: {
      accept: mediaType,
      "content-type": mediaType,
      ...(token === null ? {} : { authorization: `Basic ${btoa(`x-access-token:${token}`)}` }),
    },
    body: JSON.stringify({
      operation: "download",
      transfers: ["basic"],
      hash_algo: "sha256",
      objects: files.map(({ oid, size }) => ({ oid, size })),
    }),
  });
  const places = new Map<string, Place>();
  for (const object of objectsOf(await answer.json().catch(() => null))) {
    const place = placeOf(object);
    if (place) places.set(place.oid, place);
  }
  return places;
}

async function bring({ setup, stop }: Download, file: LargeFile, place: Place | undefined, into: string): Promise<void> {
  const url = place && URL.parse(place.href);
  if (!place || !url || !isWeb(url, setup)) {
    throw new GitError("refused", doing, `the host does not have ${file.oid}; push it with: git lfs push --all origin`);
  }
  const answer = await request(url, stop, { headers: place.header });
  const part = join(into, `.part-${randomUUID()}`);
  const hash = createHash("sha256");
  let size = 0;
  try {
    const body = answer.body === null ? Readable.from([]) : Readable.fromWeb(answer.body);
    const counted = async function* (pieces: AsyncIterable<Uint8Array>) {
      for await (const piece of pieces) {
        size += piece.length;
        if (size > file.size) throw new GitError("refused", doing, `${file.oid} is larger than its pointer says`);
        hash.update(piece);
        yield piece;
      }
    };
    await pipeline(body, counted, (await open(part, "wx", 0o600)).createWriteStream(), stop ? { signal: stop } : {});
    if (hash.digest("hex") !== file.oid)
      throw new GitError("refused", doing, `${file.oid} came with another content than its pointer says`);
    await rename(part, join(into, file.oid));
  } catch (error) {
    await rm(part, { force: true });
    stop?.throwIfAborted();
    if (error instanceof GitError) throw error;
    const isFull = Error.isError(error) && "code" in error && error.code === "ENOSPC";
    throw new GitError(isFull ? "broken" : "retryable", doing, wordsOf(error));
  }
}

async function request(url: URL, stop: AbortSignal | undefined, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, stop ? { ...init, signal: stop } : init).catch((error: unknown) => {
    stop?.throwIfAborted();
    throw new GitError("retryable", doing, `${url.host} does not answer: ${wordsOf(error)}`);
  });
  if (answer.ok) return answer;
  await answer.body?.cancel();
  throw new GitError(failureOf(answer.status), doing, `${url.host} answered ${answer.status}`);
}

function failureOf(status: number): GitFailure {
  return [401, 408, 429].includes(status) || status >= 500 ? "retryable" : "refused";
}

function isWeb(url: URL, { protocols }: GitSetup): boolean {
  const protocol = url.protocol.slice(0, -1);
  return ["https", "http"].includes(protocol) && protocols.includes(protocol);
}

function objectsOf(answer: unknown): readonly unknown[] {
  return typeof answer === "object" && answer !== null && "objects" in answer && Array.isArray(answer.objects)
    ? answer.objects
    : [];
}

function placeOf(object: unknown): (Place & { readonly oid: string }) | null {
  if (typeof object !== "object" || object === null || !("oid" in object) || !("actions" in object)) return null;
  const { oid, actions } = object;
  if (typeof oid !== "string" || typeof actions !== "object" || actions === null || !("download" in actions)) return null;
  const { download } = actions;
  if (typeof download !== "object" || download === null || !("href" in download) || typeof download.href !== "string")
    return null;
  const header = "header" in download && typeof download.header === "object" ? Object.entries(download.header ?? {}) : [];
  return { oid, href: download.href, header: Object.fromEntries(header.filter(([, value]) => typeof value === "string")) };
}

function wordsOf(error: unknown): string {
  if (!Error.isError(error)) return String(error);
  return Error.isError(error.cause) ? `${error.message} (${error.cause.message})` : error.message;
}
