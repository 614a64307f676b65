import type { DeployOrder } from "../target.ts";
import type { HerokuApi } from "./api.ts";
import { type Handle, remembered } from "./handle.ts";

export type Promotion = Extract<Handle, { step: "promotion wanted" }>;

/** The promotion that can take a build's place, or why there is none; null when there was none to think of. */
export async function promotionFor(
  api: HerokuApi,
  { previous }: Pick<DeployOrder, "previous">,
  name: string,
  stop: AbortSignal,
): Promise<Promotion | string | null> {
  const known = remembered.safeParse(previous?.target === "heroku" ? previous.release : null).data;
  if (known === undefined) return null;
  const [from, to] = [await api.coupling(known.app, stop), await api.coupling(name, stop)];
  if (from === null || to === null || from.pipeline.id !== to.pipeline.id || from.app.id === to.app.id) {
    return "the app before it is not in the same pipeline, or the key may not see it";
  }
  const current = (await api.releases(known.app, stop))?.find((release) => release.current);
  // A changed config var is a release of its own with the same slug.
  const isSame =
    current !== undefined && (current.id === known.release || (known.slug !== null && current.slug?.id === known.slug));
  if (!isSame || !current.slug) return "something else than this commit is live there";
  const newest = (await api.releases(name, stop))?.[0]?.version ?? 0;
  const source = { app: known.app, release: current.id, slug: current.slug.id };
  return { step: "promotion wanted", newest, pipeline: to.pipeline.id, target: to.app.id, source };
}
