import { createVerify } from "node:crypto";
import type { App } from "../world.ts";
import { unauthorized } from "./answers.ts";

/**
 * Accepts a JSON web token that the App signed with RS256, at most ten minutes ahead. Judged by the real time, which the caller has too.
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 */
export function checkAppToken(app: App, token: string): { readonly kind: "app" } {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const { alg } = decode(header);
  if (alg !== "RS256") throw unauthorized(UNREADABLE);
  const genuine = createVerify("RSA-SHA256").update(`${header}.${claims}`).verify(app.publicKey, signature, "base64url");
  if (!genuine) throw unauthorized(UNREADABLE);

  const { iss, iat, exp } = decode(claims);
  const now = Date.now() / 1000;
  if (String(iss) !== String(app.id) && iss !== app.clientId)
    throw unauthorized("'Issuer' claim ('iss') must be the App's id or client id");
  if (typeof iat !== "number" || !Number.isInteger(iat) || iat > now + CLOCK_DRIFT) {
    throw unauthorized("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
  }
  if (typeof exp !== "number" || exp <= now) {
    throw unauthorized(
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (exp > now + LONGEST + CLOCK_DRIFT) throw unauthorized("'Expiration time' claim ('exp') is too far in the future");
  return { kind: "app" };
}

const UNREADABLE = "A JSON web token could not be decoded";
/** Seconds. */
const LONGEST = 600;
const CLOCK_DRIFT = 5;

function decode(part: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(part, "base64url").toString()));
  } catch {
    throw unauthorized(UNREADABLE);
  }
}
