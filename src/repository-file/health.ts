import { z } from "zod";
import { duration } from "./duration.ts";
import type { Health } from "./repository-file.ts";
import { text } from "./text.ts";

/** The value of `health`; `maxTimeout` in milliseconds. */
export function health({ maxTimeout }: { readonly maxTimeout: number }) {
  return z
    .strictObject({
      url: text(1000).describe("The address that is asked. `{{ … }}` is filled in."),
      within: duration({ milliseconds: maxTimeout, because: "the server's MAX_TIMEOUT" })
        .prefault("60s")
        .describe("How long it may take until the first healthy answer."),
      expect: text(1000)
        .optional()
        .describe(
          "Text that a healthy answer contains; `{{ short_sha }}` proves that the new commit answers. Without it: any status 2xx.",
        ),
    })
    .transform((given): Health => ({ url: given.url, within: given.within, expect: given.expect ?? null }));
}
