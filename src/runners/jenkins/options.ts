import { z } from "zod";
import { secretName, webAddress } from "../../elsewhere/options.ts";

const parameter = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** `with:` of the runner `jenkins`. */
export const options = z
  .strictObject({
    url: webAddress().describe("Where Jenkins is, with its path if it has one."),
    job: z
      .string()
      .max(500)
      .refine((given) => given.split("/").every((part) => part !== "" && part !== "." && part !== ".."), {
        error: 'must be the name of a job, its folders before it: "team/shop-e2e"',
      })
      .describe("The job, with its folders: `team/shop-e2e`."),
    parameters: z
      .record(
        z.string().regex(/^(?!SIGNALBOX_)[A-Za-z_][A-Za-z0-9_.-]{0,99}$/, {
          error: "is not a name of a parameter that can be set here: letters, digits, `_`, `.` and `-`, and not SIGNALBOX_…",
        }),
        parameter,
      )
      .optional()
      .describe("Parameters that the job declares, besides those that are always sent."),
    credentials: secretName().describe(
      "The name of a secret `USER:TOKEN`: a user of Jenkins who may see and build the job and cancel its builds, and an API token of that user.",
    ),
  })
  .describe(
    "Builds a job of Jenkins and shows its console. `SUCCESS` passes; `UNSTABLE` and `FAILURE` fail; `ABORTED`, `NOT_BUILT` and a build that is cancelled in Jenkins or disappears there are errors, because they say nothing about the commit. The job is told what to build by the parameters `SIGNALBOX_REPOSITORY`, `SIGNALBOX_SHA`, `SIGNALBOX_REF`, `SIGNALBOX_PULL_REQUEST`, `SIGNALBOX_CHECK` and `SIGNALBOX_RUN` (the address of the attempt's page); Jenkins passes on only those that the job declares, so declare at least `SIGNALBOX_SHA` and check that commit out. Declare `SIGNALBOX_RUN` too: by it a build is found again of which a crash or a lost answer left it open whether Jenkins took it. Without it, Jenkins may then build the commit twice. The check's time includes the wait in Jenkins' queue.",
  );

export type JenkinsOptions = z.infer<typeof options>;
