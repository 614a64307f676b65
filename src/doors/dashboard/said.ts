import { z } from "zod";
import type { Answer } from "../../deeds/actor.ts";
import { cookiesFor } from "./cookies.ts";
import type { House, Request } from "./house.ts";

/** What became of a deed, for the page that is shown next: it travels in a cookie, so that no address can put words into our mouth. */
export interface Said {
  readonly kind: Answer["kind"];
  readonly text: string;
}

const seconds = 60;
const schema: z.ZodType<Said> = z.object({ kind: z.enum(["done", "refused"]), text: z.string() });
/** A cookie holds 4 KB, in which some letters take nine bytes. */
const longest = 400;

export function keepSaid(c: Request, { settings }: Pick<House, "settings">, answer: Answer): void {
  const { kind, text } = saidOf(answer);
  cookiesFor(settings.publicUrl).set(c, "said", JSON.stringify({ kind, text: text.slice(0, longest) }), seconds);
}

/** Shown once. */
export function takeSaid(c: Request, { settings }: Pick<House, "settings">): Said | null {
  const cookies = cookiesFor(settings.publicUrl);
  const kept = cookies.get(c, "said");
  if (kept === undefined) return null;
  cookies.remove(c, "said");
  try {
    return schema.parse(JSON.parse(kept));
  } catch {
    return null;
  }
}

export function saidOf(answer: Answer): Said {
  return answer.kind === "done" ? { kind: "done", text: answer.said } : { kind: "refused", text: answer.why };
}
