import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { Context } from "hono";
import { tabIcons } from "./pages/icons.ts";

/** The files that pages load, kept in memory. */
export interface Assets {
  /** The address of a file. It changes with the files, so a browser may keep what it got, and scripts that import each other fit. */
  address(name: string): string;
  /** Answers a request for a file; `null` when there is none of this name. */
  serve(c: Context, version: string, name: string): Response | null;
}

const style = "text/css; charset=utf-8";
const script = "text/javascript; charset=utf-8";
const picture = "image/svg+xml";

interface Asset {
  readonly type: string;
  readonly text: string;
  /** By the name of the encoding; made when somebody first asks for it, as small as can be. */
  readonly packed: Map<string, Uint8Array<ArrayBuffer>>;
}

/** The best first. Browsers take Brotli where nobody on the way can spoil it: by HTTPS, and from their own machine. */
const encodings = {
  br: (text: string) => brotliCompressSync(text),
  gzip: (text: string) => gzipSync(text, { level: 9 }),
} as const;

/** Reads the files once; a change needs a restart. */
export function loadAssets(): Assets {
  const assets = new Map<string, Asset>([["style.css", assetOf(style, read("style.css"))]]);
  const scripts = readdirSync(join(import.meta.dirname, "client")).filter((name) => name.endsWith(".js"));
  for (const name of scripts.sort()) assets.set(`client/${name}`, assetOf(script, read(`client/${name}`)));
  for (const [look, text] of Object.entries(tabIcons)) assets.set(`icons/${look}.svg`, assetOf(picture, text));
  const current = createHash("sha256")
    .update(JSON.stringify([...assets].map(([name, { text }]) => [name, text])))
    .digest("hex")
    .slice(0, 16);

  return {
    address(name) {
      if (!assets.has(name)) throw new Error(`There is no file "${name}" among the dashboard's`);
      return `/-/files/${current}/${name}`;
    },
    serve(c, version, name) {
      const asset = assets.get(name);
      if (asset === undefined) return null;
      // A page of the version before this one asks by its old address.
      c.header("Cache-Control", version === current ? "public, max-age=31536000, immutable" : "public, no-cache");
      c.header("ETag", `"${current}"`);
      // What was compressed comes back with a weak one.
      if (c.req.header("if-none-match")?.replace(/^W\//, "") === `"${current}"`) return c.body(null, 304);
      c.header("Vary", "Accept-Encoding");
      const accepted = (c.req.header("accept-encoding") ?? "").split(/\s*,\s*/);
      const encoding = (["br", "gzip"] as const).find((name) => accepted.includes(name));
      if (encoding === undefined) return c.body(asset.text, 200, { "Content-Type": asset.type });
      const packed = asset.packed.get(encoding) ?? Uint8Array.from(encodings[encoding](asset.text));
      asset.packed.set(encoding, packed);
      return c.body(packed, 200, { "Content-Type": asset.type, "Content-Encoding": encoding });
    },
  };
}

function assetOf(type: string, text: string): Asset {
  return { type, text, packed: new Map() };
}

function read(name: string): string {
  return readFileSync(join(import.meta.dirname, name), "utf8");
}
