import { z } from "zod";
import { staysWithin } from "./paths.ts";

/** A text for a shell. Under a key `run`, which templates never fill in. */
export const commandText = z
  .string()
  .regex(/\S/, { error: "is empty; write a command" })
  .regex(/^[^\0]*$/, { error: "holds a NUL; remove it" });

/** What the targets that keep releases have in common. */
export const releaseOptions = {
  from: z
    .string()
    .min(1, { error: "is empty; name a folder, or leave it out" })
    .refine(staysWithin, { error: "leads out of the checkout; name a folder in it" })
    .optional()
    .describe("A folder of the built checkout. Without it: all of it but `.git`."),
  keep: z.int().min(1).max(100).default(5).describe("How many releases are kept, the current one included."),
  shared: z
    .array(
      z
        .string()
        .max(500)
        .regex(/^(?!\/)(?!(.*\/)?\.{0,2}\/)(?!(.*\/)?\.{1,2}$)[^\0\n]+$/, {
          error: 'must be a path in the release, such as "uploads/" or ".env", without "." and ".."',
        }),
    )
    .max(50)
    .superRefine((paths, context) => {
      const plain = paths.map((path) => path.replace(/\/$/, ""));
      for (const [index, path] of plain.entries()) {
        const other = plain.find(
          (outer, at) => at !== index && `${path}/`.startsWith(`${outer}/`) && (outer !== path || at < index),
        );
        if (other !== undefined) context.addIssue({ code: "custom", path: [index], message: `is "${other}" or lies in it` });
      }
    })
    .default([])
    .describe(
      "What outlives a release and is linked into each: `uploads/`, with a slash at its end, is a folder of `shared` that is made when it is missing; `.env`, without, is a file that must be there. What the checkout has in that place is left out. An application writes to these only: files that did not change are the same in several releases.",
    ),
} as const;
