import { z } from "zod";
import { webAddress } from "../../elsewhere/options.ts";
import { releaseOptions } from "../release/options.ts";
import { secretName } from "../target.ts";

/** `with:` of the target `heroku`. */
export const options = z
  .strictObject({
    app: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: "must be the name of an app: small letters, digits and hyphens" })
      .describe("The app's name."),
    key: secretName.describe("The name of a secret: an API key or the token of an authorization that may write to the app."),
    from: releaseOptions.from,
    api: webAddress()
      .default("https://api.heroku.com")
      .describe("Where the Platform API is, for those who have a proxy before it."),
  })
  .describe(
    "Heroku: the built checkout is sent, built into a slug and released, with the log of the build and of the release phase. After an environment whose app is in the same pipeline and has this commit live, its slug is promoted instead of being built again. A rollback is Heroku's own, to the release that was live: config vars go back with it. Add-ons and databases do not.",
  );

export type HerokuOptions = z.infer<typeof options>;
