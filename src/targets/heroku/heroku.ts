import type { Pace } from "../../elsewhere/pace.ts";
import type { Io } from "../../process/io.ts";
import { carryOut, deploymentPace, unlessNothingBegun } from "../elsewhere/carry-out.ts";
import { packTarball } from "../release/tarball.ts";
import { type AnyTarget, type Deployed, type DeployOrder, defineTarget, missingSecret } from "../target.ts";
import { headersWith, herokuApi } from "./api.ts";
import { herokuDeployment } from "./deployment.ts";
import { type Handle, handle, type Remembered, remembered } from "./handle.ts";
import { type HerokuOptions, options } from "./options.ts";

/** What is asked of Heroku: a commit or a release to put back, from the beginning or from where a server before us had come. */
interface Request {
  readonly to: Remembered | null;
  readonly from: Handle | null;
  readonly hasCheckout: boolean;
}

/** Deploys to an app on Heroku. */
export function heroku(pace: Pace = deploymentPace): AnyTarget {
  async function run(
    { app, key: name, from = ".", api }: HerokuOptions,
    asked: Request,
    order: DeployOrder,
    io: Io,
  ): Promise<Deployed> {
    const key = await order.secret(name);
    if (key === null) return missingSecret(name, order);
    const service = { name: "Heroku", fetch: order.fetch, headers: headersWith(key.trim()), timeout: pace.request };
    const deployment = herokuDeployment({
      api: herokuApi(service, api, app),
      app,
      order,
      pack: asked.hasCheckout ? () => packTarball(order.workspace, from, io.stop) : null,
      to: asked.to,
      io,
      pace,
    });
    return carryOut(deployment, asked.from, order, io, pace);
  }

  return defineTarget<HerokuOptions>({
    name: "heroku",
    options,
    deploy: (given, order, io) => run(given, { to: null, from: null, hasCheckout: true }, order, io),
    async restore(given, release, order, io) {
      const to = remembered.safeParse(release).data;
      if (to !== undefined) return run(given, { to, from: null, hasCheckout: false }, order, io);
      return { kind: "refused", reason: "what was live is no release of an app; deploy its commit again", live: "unchanged" };
    },
    async resume(given, before, order, io) {
      const from = handle.safeParse(before).data;
      if (from === undefined) return null;
      return unlessNothingBegun(() => run(given, { to: null, from, hasCheckout: false }, order, io));
    },
  });
}
