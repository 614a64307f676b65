import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { SecretKey } from "./key.ts";

const [version, header, nonceLength, tagLength] = [1, 5, 12, 16];

/** Encrypts a text with AES-256-GCM. `place` is bound to it: what was sealed for one place opens in no other. */
export function seal(key: SecretKey, text: string, place: string): Uint8Array {
  const head = Buffer.alloc(header);
  head.writeUInt8(version, 0);
  head.writeUInt32BE(key.id, 1);
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce).setAAD(Buffer.from(place));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([head, nonce, cipher.getAuthTag(), sealed]);
}

/** Throws for what was sealed with another key or for another place, or was changed since. */
export function unseal(key: SecretKey, sealed: Uint8Array, place: string): string {
  const bytes = Buffer.from(sealed);
  if (bytes.length < header + nonceLength + tagLength || bytes.readUInt8(0) !== version)
    throw new Error("what is stored is no sealed secret");
  const id = bytes.readUInt32BE(1);
  const fitting = key.id === id ? key : key.previous;
  if (fitting?.id !== id) throw new Error("it was sealed with another SECRET_KEY");
  const nonce = bytes.subarray(header, header + nonceLength);
  const tag = bytes.subarray(header + nonceLength, header + nonceLength + tagLength);
  const decipher = createDecipheriv("aes-256-gcm", fitting.bytes, nonce).setAAD(Buffer.from(place)).setAuthTag(tag);
  return Buffer.concat([decipher.update(bytes.subarray(header + nonceLength + tagLength)), decipher.final()]).toString("utf8");
}
