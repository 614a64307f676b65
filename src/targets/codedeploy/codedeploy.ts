import type { Pace } from "../../elsewhere/pace.ts";
import { errored } from "../../elsewhere/trouble.ts";
import type { Io } from "../../process/io.ts";
import { carryOut, deploymentPace, unlessNothingBegun, withVerdict } from "../elsewhere/carry-out.ts";
import { packTarball } from "../release/tarball.ts";
import { type AnyTarget, type Deployed, type DeployOrder, defineTarget, missingSecret } from "../target.ts";
import { type Credentials, codeDeployApi } from "./api.ts";
import { codeDeployment, type Handle, handle, type Revision, revision } from "./deployment.ts";
import { type CodeDeployOptions, options } from "./options.ts";
import { loadSdk, type Sdk, sdkWith } from "./sdk.ts";

interface Request {
  readonly to: Revision | null;
  readonly from: Handle | null;
  readonly hasCheckout: boolean;
}

/** Deploys by a deployment group of AWS CodeDeploy. */
export function codedeploy(pace: Pace = deploymentPace, load: () => Promise<Sdk> = loadSdk): AnyTarget {
  async function run(
    given: CodeDeployOptions,
    { to, from, hasCheckout }: Request,
    order: DeployOrder,
    io: Io,
  ): Promise<Deployed> {
    const secret = await order.secret(given.key);
    if (secret === null) return missingSecret(given.key, order);
    return withVerdict(async () => {
      const credentials = credentialsFrom(secret, given.key, order);
      const api = codeDeployApi(await sdkWith(load), given, credentials, order.fetch);
      const pack = hasCheckout ? () => packTarball(order.workspace, given.from ?? ".", io.stop) : null;
      return carryOut(codeDeployment({ api, options: given, order, pack, to, io, pace }), from, order, io, pace);
    });
  }

  return defineTarget<CodeDeployOptions>({
    name: "codedeploy",
    options,
    deploy: (given, order, io) => run(given, { to: null, from: null, hasCheckout: true }, order, io),
    async restore(given, release, order, io) {
      const to = revision.safeParse(release).data;
      if (to !== undefined && to.application === given.application && to.group === given.group)
        return run(given, { to, from: null, hasCheckout: false }, order, io);
      return {
        kind: "refused",
        reason: "what was live is no revision of this group; deploy its commit again",
        live: "unchanged",
      };
    },
    async resume(given, remembered, order, io) {
      const from = handle.safeParse(remembered).data;
      if (from === undefined) return null;
      const to = from.step === "wanted" ? from.to : null;
      return unlessNothingBegun(() => run(given, { to, from, hasCheckout: false }, order, io));
    },
  });
}

/** The parts of the secret are secrets, too. */
function credentialsFrom(secret: string, name: string, order: DeployOrder): Credentials {
  const [accessKeyId = "", secretAccessKey = "", ...token] = secret.trim().split(":");
  if (accessKeyId === "" || secretAccessKey === "")
    throw errored(`the secret "${name}" must be ACCESS_KEY_ID:SECRET_ACCESS_KEY`, "Set it again with signalbox secret set");
  const sessionToken = token.join(":");
  for (const part of [accessKeyId, secretAccessKey, sessionToken]) if (part !== "") order.conceal(part);
  return { accessKeyId, secretAccessKey, ...(sessionToken === "" ? {} : { sessionToken }) };
}
