import { timingSafeEqual } from "node:crypto";
import type { House, Request } from "./house.ts";

/** What a form of ours carries. */
export function tokenFor(c: Request, { csrf }: Pick<House, "csrf">): string {
  return c.get("session")?.csrf ?? csrf;
}

/** Whether a form was sent by a page of ours: browsers say where it comes from, and no other page knows its token. */
export function isFromOurPage(c: Request, house: House, token: unknown): boolean {
  return isOurs(c, house.settings.publicUrl) && same(token, tokenFor(c, house));
}

/** `Sec-Fetch-Site` is what no page can forge; browsers that are older than it send an `Origin` with every form. */
function isOurs(c: Request, publicUrl: string): boolean {
  const site = c.req.header("sec-fetch-site");
  return site === "same-origin" || (site === undefined && c.req.header("origin") === publicUrl);
}

/** Compares without telling by the time it takes how much of it is right. */
export function same(given: unknown, wanted: string): boolean {
  if (typeof given !== "string") return false;
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
