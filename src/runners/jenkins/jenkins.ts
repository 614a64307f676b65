import { type Pace, usualPace } from "../../elsewhere/pace.ts";
import { errored } from "../../elsewhere/trouble.ts";
import { follow } from "../elsewhere/follow.ts";
import { neededSecret } from "../elsewhere/secret.ts";
import { stepsOf } from "../elsewhere/steps.ts";
import { withEnding } from "../elsewhere/with-ending.ts";
import { type AnyRunner, defineRunner } from "../runner.ts";
import { jenkinsApi } from "./api.ts";
import { jenkinsBuild } from "./build.ts";
import { type JenkinsOptions, options } from "./options.ts";

/** Builds a job of Jenkins. */
export function jenkins(pace: Pace = usualPace): AnyRunner {
  return defineRunner<JenkinsOptions>({
    name: "jenkins",
    options,
    run: ({ url, job, parameters = {}, credentials }, order, io) =>
      withEnding(stepsOf(io), async (steps) => {
        const secret = await neededSecret(order, credentials);
        if (!secret.includes(":"))
          throw errored(`the secret "${credentials}" must be USER:TOKEN`, "Set it again with signalbox secret set");
        // Jenkins knows the token without its user, too.
        io.conceal(secret.slice(secret.indexOf(":") + 1));
        // https://www.jenkins.io/doc/book/system-administration/authenticating-scripted-clients/
        const headers = { authorization: `Basic ${Buffer.from(secret).toString("base64")}` };
        const api = jenkinsApi({ name: "Jenkins", fetch: order.fetch, headers, timeout: pace.request }, url, job);
        const build = jenkinsBuild({ api, job, facts: order.facts, parameters, steps, io, pace });
        return follow(build, order, io, pace);
      }),
  });
}
