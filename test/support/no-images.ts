import { openImages } from "../../src/process/images.ts";

/** For what is about something else: a machine without podman and docker. */
export const noImages = openImages({
  findEngine: async () => null,
  sandbox: { kind: "none" },
  folder: "/nonexistent",
  mark: {},
  mayPull: () => Promise.reject(new Error("nothing is pulled here")),
});
