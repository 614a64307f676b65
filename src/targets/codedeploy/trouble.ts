import { oneLine } from "../../elsewhere/text.ts";
import { errored, failed, PassingTrouble } from "../../elsewhere/trouble.ts";
import { OutboundProblem } from "../../outbound/problem.ts";
import type { CodeDeployOptions } from "./options.ts";

/** Another deployment is under way in the group: it is waited for. */
export class GroupIsBusy extends Error {}

/** What Amazon's clients throw, in the words of this house. https://docs.aws.amazon.com/codedeploy/latest/APIReference/CommonErrors.html */
export function troubleFrom(error: unknown, doing: string, options: CodeDeployOptions): unknown {
  if (error instanceof OutboundProblem)
    return error.retryable
      ? new PassingTrouble(`AWS: ${error.message}`, null, { cause: error })
      : errored(`AWS: ${error.message}`);
  if (!Error.isError(error) || !("$metadata" in error)) return error;
  const { httpStatusCode: status = 0 } = error.$metadata as { readonly httpStatusCode?: number };
  if (busy.has(error.name)) return new GroupIsBusy();
  if (refusedCredentials.has(error.name)) {
    return errored("AWS does not accept the credentials", `Set ${options.key} again: ACCESS_KEY_ID:SECRET_ACCESS_KEY`);
  }
  if (error.name.startsWith("AccessDenied")) {
    return errored(`AWS refuses to ${doing}: the credentials may not do that`, "Give them the right in IAM");
  }
  if (status === 429 || status >= 500 || throttled.test(error.name) || status === 0 || status === 200) {
    return new PassingTrouble(`AWS answered ${status || "nothing useful"} when asked to ${doing}`, pauseIn(error));
  }
  const wrong = wrongOption(error.name, options);
  return wrong === null ? errored(`AWS answered ${error.name} when asked to ${doing}: ${oneLine(error.message)}`) : failed(wrong);
}

const busy = new Set(["DeploymentLimitExceededException"]);
const refusedCredentials = new Set([
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "InvalidClientTokenId",
  "ExpiredTokenException",
  "ExpiredToken",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
]);
const throttled = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/;

function wrongOption(name: string, { application, group, bucket, region }: CodeDeployOptions): string | null {
  switch (name) {
    case "ApplicationDoesNotExistException":
      return `with.application: CodeDeploy has no application "${application}" in ${region}`;
    case "DeploymentGroupDoesNotExistException":
      return `with.group: ${application} has no deployment group "${group}"`;
    case "NoSuchBucket":
      return `with.bucket: S3 has no bucket "${bucket}"`;
    default:
      return null;
  }
}

/** Seconds. */
function pauseIn(error: object): number | null {
  const response = "$response" in error ? error.$response : null;
  const headers = typeof response === "object" && response !== null && "headers" in response ? Object(response.headers) : {};
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : null;
}
