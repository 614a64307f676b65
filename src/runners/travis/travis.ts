import { type Pace, usualPace } from "../../elsewhere/pace.ts";
import { follow } from "../elsewhere/follow.ts";
import { neededSecret } from "../elsewhere/secret.ts";
import { stepsOf } from "../elsewhere/steps.ts";
import { withEnding } from "../elsewhere/with-ending.ts";
import { type AnyRunner, defineRunner } from "../runner.ts";
import { travisApi } from "./api.ts";
import { travisBuild } from "./build.ts";
import { options, type TravisOptions } from "./options.ts";

/** Lets Travis CI build the commit. */
export function travis(pace: Pace = usualPace): AnyRunner {
  return defineRunner<TravisOptions>({
    name: "travis",
    options,
    run: ({ token, endpoint }, order, io) =>
      withEnding(stepsOf(io), async (steps) => {
        const headers = {
          accept: "application/json",
          "travis-api-version": "3",
          authorization: `token ${await neededSecret(order, token)}`,
        };
        const api = travisApi({ name: "Travis CI", fetch: order.fetch, headers, timeout: pace.request }, endpoint, order.commit);
        return follow(travisBuild({ api, commit: order.commit, name: order.name, steps, io, pace }), order, io, pace);
      }),
  });
}
