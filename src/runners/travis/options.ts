import { z } from "zod";
import { secretName, webAddress } from "../../elsewhere/options.ts";

/** `with:` of the runner `travis`. */
export const options = z
  .strictObject({
    token: secretName().describe("The name of a secret: an API token of somebody who may push to the repository."),
    endpoint: webAddress()
      .prefault("https://api.travis-ci.com")
      .describe("The address of the API. Of Travis CI Enterprise: `https://HOST/api`."),
  })
  .describe(
    "Asks Travis CI to build the commit by the repository's own `.travis.yml`, and shows each job's log when the job has ended. `passed` passes; `failed` and `errored` (a command before the script) fail; `canceled` is an error, because it says nothing about the commit. The commit's message there names the run, and by it a build is found again of which a crash or a lost answer left it open whether Travis CI took the request; one that Travis CI does not list by then is asked for again. Travis CI takes at most ten requests of a repository in an hour.",
  );

export type TravisOptions = z.infer<typeof options>;
