import { mayAct } from "../../deeds/actor.ts";
import type { House, Request } from "./house.ts";
import { doerOf } from "./pages/confirm.ts";
import type { Viewer } from "./pages/frame.ts";
import { takeSaid } from "./said.ts";

/** Who looks at a page of a repository, and comes back to it when they have done something. */
export function viewerOf(c: Request, house: House): Viewer {
  const session = c.get("session");
  const { pathname, search } = new URL(c.req.url);
  const actor = { login: "", id: 0, role: c.get("role"), door: "page" } as const;
  // A script that fetches a part of the page shows nothing of what became of a deed.
  const said = c.req.header("signalbox-part") === undefined ? takeSaid(c, house) : null;
  return { session, doer: doerOf(house, session, mayAct(actor), `${pathname}${search}`), said };
}
