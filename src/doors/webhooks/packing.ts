import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/**
 * Packs a payload for its receipt. Payloads are mostly repeated addresses and shrink to a tenth; what is not written is not synced to the
 * disk, which saves several times what the fastest level costs (`npm run bench -- ingest`).
 */
export function pack(json: Uint8Array): Uint8Array {
  return zstdCompressSync(json, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}

export function unpack(packed: Uint8Array): string {
  return zstdDecompressSync(packed).toString("utf8");
}
