import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import type { Person } from "./session.ts";

/** The App's web flow. https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app */
export interface Authorization {
  /** Where the browser asks GitHub for a code, and the secrets that the code is worth nothing without. */
  start(): { readonly address: string; readonly state: string; readonly verifier: string };
  /** Who the code stands for; the token is used for that question only. Rejects with a `SignInProblem`. */
  finish(code: string, verifier: string): Promise<Person>;
}

export interface AuthorizationOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly publicUrl: string;
  readonly github: { readonly web: string; readonly api: string };
}

/** Why a sign-in failed: a sentence for the person, and one that says what to do. */
export class SignInProblem extends Error {
  override readonly name = "SignInProblem";
  readonly advice: string;

  constructor(message: string, advice: string, cause?: unknown) {
    super(message, { cause });
    this.advice = advice;
  }
}

const patience = 10_000;

export function authorizationOf({ clientId, clientSecret, publicUrl, github }: AuthorizationOptions): Authorization {
  const redirect = `${publicUrl}/login/callback`;
  return {
    start() {
      const state = randomBytes(32).toString("base64url");
      const verifier = randomBytes(32).toString("base64url");
      const query = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirect,
        state,
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
      });
      return { address: `${github.web}/login/oauth/authorize?${query}`, state, verifier };
    },
    async finish(code, verifier) {
      const form = { client_id: clientId, client_secret: clientSecret, code, redirect_uri: redirect, code_verifier: verifier };
      const answer = await ask(`${github.web}/login/oauth/access_token`, {
        method: "POST",
        headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(form).toString(),
      });
      const { access_token: token, error } = exchange.parse(answer);
      if (token === undefined) throw refusal(error ?? "no token");
      const headers = { accept: "application/vnd.github+json", authorization: `Bearer ${token}`, "user-agent": "signalbox" };
      return user.parse(await ask(`${github.api}/user`, { headers }));
    },
  };
}

const exchange = z.object({ access_token: z.string().min(1).optional(), error: z.string().optional() }).catch({});
const user = z.object({ id: z.int(), login: z.string().min(1) });

/** GitHub's word for a refusal, in the browser's address or in the answer to the code. */
export function refusal(error: string): SignInProblem {
  if (error === "access_denied") {
    return new SignInProblem("You did not let GitHub tell who you are.", "Sign in again and choose “Authorize”.");
  }
  if (error === "redirect_uri_mismatch") {
    return new SignInProblem(
      "GitHub does not know this address of Signalbox.",
      "An administrator adds PUBLIC_URL with “/login/callback” as a callback URL in the App's settings on GitHub.",
    );
  }
  if (error === "incorrect_client_credentials") {
    return new SignInProblem(
      "GitHub does not accept this App's client secret.",
      "An administrator makes a new one in the App's settings on GitHub and sets GITHUB_CLIENT_SECRET.",
    );
  }
  if (error === "application_suspended") {
    return new SignInProblem(
      "GitHub has suspended this App.",
      "An administrator finds the reason in the App's settings on GitHub.",
    );
  }
  return new SignInProblem(
    "GitHub did not accept the sign-in; a code is good for ten minutes and for one use.",
    "Sign in again.",
  );
}

/** No redirect is followed: the answer holds a token, and the request a secret. */
async function ask(address: string, request: RequestInit): Promise<unknown> {
  try {
    const response = await fetch(address, { ...request, redirect: "error", signal: AbortSignal.timeout(patience) });
    if (!response.ok) throw new Error(`GitHub answered ${response.status}`);
    return await response.json();
  } catch (error) {
    throw new SignInProblem("GitHub did not answer.", "Try again in a minute.", error);
  }
}
