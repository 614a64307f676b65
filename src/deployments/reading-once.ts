import type { DeploymentMeans } from "./means.ts";

/** The same means, which ask GitHub once for each file in all that follows from one event or one look. */
export function readingOnce<Means extends Pick<DeploymentMeans, "loadFile">>(means: Means): Means {
  const loaded = new Map<string, ReturnType<Means["loadFile"]>>();
  return {
    ...means,
    loadFile(...[repository, ref]: Parameters<Means["loadFile"]>) {
      const key = `${repository.id} ${ref}`;
      const reading = loaded.get(key) ?? means.loadFile(repository, ref);
      loaded.set(key, reading as ReturnType<Means["loadFile"]>);
      return reading;
    },
  };
}
