import { OperatorProblem } from "../target.ts";

/** Amazon's own clients, which are no dependency of ours: both together are 20 MB. */
export interface Sdk {
  readonly codedeploy: typeof import("@aws-sdk/client-codedeploy");
  readonly s3: typeof import("@aws-sdk/client-s3");
}

export async function loadSdk(): Promise<Sdk> {
  const [codedeploy, s3] = await Promise.all([import("@aws-sdk/client-codedeploy"), import("@aws-sdk/client-s3")]);
  return { codedeploy, s3 };
}

/** Loads them, or says how they are installed. */
export async function sdkWith(load: () => Promise<Sdk>): Promise<Sdk> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new OperatorProblem(
      "the target codedeploy needs two packages that are not installed here",
      "Install them beside Signalbox and restart it: npm install --no-save @aws-sdk/client-codedeploy @aws-sdk/client-s3",
      { cause: error },
    );
  }
}

function isMissing(error: unknown): boolean {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}
