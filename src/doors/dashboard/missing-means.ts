import type { MissingMeans } from "../../checks/missing-contexts.ts";
import type { House } from "./house.ts";

/** What it takes to say which required contexts nobody produces, as pages ask for it: they never wait for GitHub long. */
export function missingMeans({ database, settings, outside }: House): MissingMeans {
  return { database, contextPrefix: settings.contextPrefix, required: outside.required };
}
