import { createPrivateKey, type KeyObject } from "node:crypto";
import { Wrong } from "./values.ts";

/** A PEM with an RSA private key: with line breaks, with `\n` written out (as in many `.env` files), or in base64. */
export function privateKey(text: string): string {
  const key = keyFrom(asPem(text));
  if (key.asymmetricKeyType !== "rsa") {
    throw new Wrong("is not an RSA key; download a private key from the App's settings page on GitHub");
  }
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function asPem(text: string): string {
  const lines = text.replace(/^["']|["']$/g, "").replaceAll("\\n", "\n");
  return lines.includes("-----BEGIN") ? lines : Buffer.from(lines, "base64").toString("utf8");
}

function keyFrom(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The library's message could quote the key.
    throw new Wrong("is not a private key in PEM format; download one from the App's settings page on GitHub");
  }
}

/** What examples and generators put where a secret belongs, without case, `-` and `_`. */
const WELL_KNOWN =
  /^(development|(your|my|the|a)*(github|app|webhook|super)*(secret|password|token)(here|key|value)*|changeme.*|replace.*|example.*|(?<one>.)\k<one>*)$/;

/** A webhook's secret: whoever knows it can make us run anything, so a short or well-known one is refused. */
export function webhookSecret(text: string): string {
  if (WELL_KNOWN.test(text.toLowerCase().replace(/[^a-z0-9]/g, ""))) {
    throw new Wrong(`is one that everybody knows; ${MAKE_ONE}`);
  }
  if (text.length < 16) throw new Wrong(`is shorter than 16 characters; ${MAKE_ONE}`);
  return text;
}

/** What to do about a webhook secret that is missing or weak. */
export const MAKE_ONE = 'make one with "openssl rand -hex 32" and enter it in the App\'s settings on GitHub too';

/** Long enough that nobody guesses it. */
export function metricsToken(text: string): string {
  if (!/^[\x21-\x7e]{16,200}$/.test(text)) throw new Wrong("must have 16 to 200 characters, without spaces");
  return text;
}

/** Headers as OpenTelemetry writes them in a variable: `name=value,name=value`, percent-encoded. https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables */
export function headerList(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(",").map((pair) => /^\s*([\w-]+)\s*=\s*([\x21-\x7e]+?)\s*$/.exec(pair)?.slice(1));
  try {
    return Object.fromEntries(
      pairs.map((pair) => {
        if (pair === undefined) throw new URIError();
        const [name = "", value = ""] = pair;
        return [name.toLowerCase(), decodeURIComponent(value)];
      }),
    );
  } catch {
    throw new Wrong('is no list of headers; write it like "api-key=secret,tenant=acme", other characters percent-encoded');
  }
}

/** A key of 32 bytes in hexadecimal digits. */
export function secretKey(text: string): Uint8Array {
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.from(Buffer.from(text, "hex"));
  throw new Wrong('is not 64 hexadecimal digits; make it with "openssl rand -hex 32"');
}

/** An identifier or secret that GitHub gave out: anything without spaces. */
export function issuedByGitHub(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new Wrong("has characters that GitHub never uses; copy it again from the App's settings page");
}
