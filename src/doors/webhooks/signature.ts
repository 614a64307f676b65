import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";

/**
 * Tells whether a body was signed with one of the secrets. The time it takes depends on the body's length alone: every secret is tried,
 * whatever the signature looks like. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
 */
export function signatureCheck(
  secrets: readonly [string, ...string[]],
): (body: readonly Uint8Array[], signature: string) => boolean {
  if (secrets.some((secret) => secret === "")) throw new Error("An empty secret signs nothing: WEBHOOK_SECRET must be set");
  const keys = secrets.map((secret) => createSecretKey(secret, "utf8"));
  return (body, signature) => {
    const wellFormed = shape.test(signature);
    const given = Buffer.from(wellFormed ? signature.slice(prefix.length) : noDigest, "hex");
    let signed = false;
    for (const key of keys) {
      const hmac = createHmac("sha256", key);
      for (const piece of body) hmac.update(piece);
      const equal = timingSafeEqual(hmac.digest(), given);
      signed = (equal && wellFormed) || signed;
    }
    return signed;
  };
}

const prefix = "sha256=";
const shape = /^sha256=[0-9a-f]{64}$/;
const noDigest = "0".repeat(64);
