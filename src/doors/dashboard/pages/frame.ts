import type { Said } from "../said.ts";
import type { Session } from "../session.ts";
import type { Doer } from "./confirm.ts";

/** Who looks at a page. */
export interface Viewer {
  readonly session: Session | null;
  /** `null` for who may not act here. */
  readonly doer: Doer | null;
  /** What became of the deed that led here. */
  readonly said: Said | null;
}
