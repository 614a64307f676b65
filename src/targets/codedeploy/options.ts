import { z } from "zod";
import { webAddress } from "../../elsewhere/options.ts";
import { releaseOptions } from "../release/options.ts";
import { secretName } from "../target.ts";

const named = (what: string, most: number) =>
  z
    .string()
    .min(1, { error: `is empty; name ${what}` })
    .max(most);

/** `with:` of the target `codedeploy`. */
export const options = z
  .strictObject({
    application: named("the application", 100).describe("The application in CodeDeploy."),
    group: named("the deployment group", 100).describe("Its deployment group."),
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: "must be a region, such as eu-central-1" })
      .describe("Where they are."),
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: "must be the name of a bucket" })
      .describe("The bucket in S3 that keeps the bundles; a life-cycle rule may expire old ones."),
    prefix: z
      .string()
      .max(200)
      .regex(/^[\w!.*'()/-]*$/, { error: 'may have letters, digits and "_!.*\'()/-"' })
      .default("signalbox/")
      .describe("What the names of the bundles begin with."),
    key: secretName.describe(
      "The name of a secret: `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, with `:SESSION_TOKEN` for temporary ones.",
    ),
    from: releaseOptions.from,
    endpoint: webAddress().optional().describe("Another address that speaks Amazon's API, such as LocalStack's."),
  })
  .describe(
    "AWS CodeDeploy on servers (EC2 or your own): the built checkout, with its `appspec.yml`, goes as a bundle to S3 and is deployed by a deployment group, whose life-cycle events are shown. When CodeDeploy rolls back by itself, that is waited for. A rollback deploys the bundle that was live again. Needs two packages that Signalbox does not bring along: `npm install --no-save @aws-sdk/client-codedeploy @aws-sdk/client-s3`.",
  );

export type CodeDeployOptions = z.infer<typeof options>;
