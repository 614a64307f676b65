import { createHash, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What secrets are sealed with. */
export interface SecretKey {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** Tells keys apart without telling anything of them. */
  readonly id: number;
  /** The one before it, while a rotation is under way: it opens what is not sealed anew yet. */
  readonly previous: SecretKey | null;
}

export function secretKey(bytes: Uint8Array, previous: SecretKey | null = null): SecretKey {
  if (bytes.length !== 32) throw new Error("a secret key has 64 hexadecimal digits");
  const id = createHash("sha256").update("signalbox key id").update(bytes).digest().readUInt32BE(0);
  return { bytes, id, previous };
}

/**
 * The server's key: `SECRET_KEY`, or the one in the data directory, which is made there with the first call. That file is no
 * part of a backup: who has both has the secrets.
 */
export function openSecretKey(configured: Uint8Array | null, dataDir: string): SecretKey {
  if (configured !== null) return secretKey(configured);
  const path = keyPath(dataDir);
  try {
    return fromText(readFileSync(path, "utf8"));
  } catch (error) {
    if (!isMissing(error)) {
      throw new Error(`The secret key in ${path} cannot be used; restore it, or remove the file and set all secrets again`, {
        cause: error,
      });
    }
  }
  const fresh = secretKey(randomBytes(32));
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  keepSecretKey(fresh, dataDir);
  return fresh;
}

/** Puts a key, and the one before it, in the place of what the data directory has: wholly or not at all, for the server's user alone. */
export function keepSecretKey(key: SecretKey, dataDir: string): void {
  const path = keyPath(dataDir);
  const part = `${path}.${process.pid}`;
  const keys = key.previous === null ? [key] : [key, key.previous];
  writeFileSync(part, keys.map(({ bytes }) => `${Buffer.from(bytes).toString("hex")}\n`).join(""), { mode: 0o600 });
  const file = openSync(part, "r+");
  fsyncSync(file);
  closeSync(file);
  renameSync(part, path);
}

function fromText(text: string): SecretKey {
  const [current = "", previous] = text.trim().split("\n");
  return secretKey(Buffer.from(current, "hex"), previous === undefined ? null : secretKey(Buffer.from(previous, "hex")));
}

function keyPath(dataDir: string): string {
  return join(dataDir, "secret.key");
}

function isMissing(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";
}
