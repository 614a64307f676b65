import { type AppFacts, readApp } from "../github/app-facts.ts";
import { type Finding, fine, wrong } from "./finding.ts";
import type { DoctorMeans } from "./means.ts";

/** GitHub refuses a token from a clock that is more than a minute ahead: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app */
const tolerated = 30_000;

/** Whether GitHub knows the App by these credentials, and the same time. `app` is `null` when it does not. */
export async function examineApp(
  { github, settings }: DoctorMeans,
  now: () => Date = () => new Date(),
): Promise<{ readonly findings: readonly Finding[]; readonly app: AppFacts | null }> {
  try {
    const app = await readApp(github);
    const ahead = now().getTime() - app.askedAt.getTime();
    return {
      app,
      findings: [fine("app", `${settings.github.api} knows it as ${app.slug}, owned by ${app.owner}`), clock(ahead)],
    };
  } catch (error) {
    const why = Error.isError(error) ? error.message : String(error);
    return { app: null, findings: [refused(why)] };
  }
}

function clock(ahead: number): Finding {
  const seconds = Math.round(Math.abs(ahead) / 1_000);
  if (Math.abs(ahead) <= tolerated) return fine("clock", "it shows GitHub's time");
  return wrong(
    "clock",
    `it is ${seconds} s ${ahead > 0 ? "ahead of" : "behind"} GitHub's`,
    "switch on time synchronisation: timedatectl set-ntp true",
  );
}

function refused(why: string): Finding {
  if (/exp|iat|issued|expiration/i.test(why))
    return wrong("app", why, "the clock is wrong: switch on time synchronisation with timedatectl set-ntp true");
  if (/with 401|with 404/.test(why))
    return wrong(
      "app",
      why,
      "APP_ID and PRIVATE_KEY do not belong together, or the key was deleted: make a new key on the App's settings page",
    );
  return wrong("app", why, "see whether this machine reaches GitHub (GHE_HOST, GHE_PROTOCOL, firewall, NODE_EXTRA_CA_CERTS)");
}
