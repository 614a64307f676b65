import type { DeploymentTarget, LifecycleEvent } from "@aws-sdk/client-codedeploy";
import type { Fetch } from "../../outbound/fetch.ts";
import type { Tarball } from "../release/tarball.ts";
import { carrierWith } from "./http.ts";
import type { CodeDeployOptions } from "./options.ts";
import type { Sdk } from "./sdk.ts";
import { troubleFrom } from "./trouble.ts";

/** A bundle in S3. */
export interface Bundle {
  readonly bucket: string;
  readonly key: string;
  readonly eTag: string;
}

export interface DeploymentState {
  readonly status: string;
  readonly problem: string | null;
  /** The deployment by which CodeDeploy rolls this one back by itself. */
  readonly rollback: string | null;
}

/** One life-cycle event of one server. */
export interface Happening {
  readonly where: string;
  readonly event: string;
  readonly status: string;
  /** What a script that failed has said. */
  readonly says: string;
}

/** What of CodeDeploy and S3 is used: https://docs.aws.amazon.com/codedeploy/latest/APIReference/ */
export interface CodeDeployApi {
  upload(key: string, tarball: Tarball, stop: AbortSignal): Promise<Bundle>;
  hasBundle(bundle: Bundle, stop: AbortSignal): Promise<boolean>;
  /** The deployment with this description, among those that were created since. */
  find(description: string, since: Date, stop: AbortSignal): Promise<string | null>;
  /** Throws `GroupIsBusy` while another one is under way. */
  create(bundle: Bundle, description: string): Promise<string>;
  state(deployment: string, stop: AbortSignal): Promise<DeploymentState>;
  happenings(deployment: string, stop: AbortSignal): Promise<readonly Happening[]>;
  /** One that has ended stays as it is. */
  stop(deployment: string, stop: AbortSignal): Promise<void>;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export function codeDeployApi(sdk: Sdk, options: CodeDeployOptions, credentials: Credentials, fetch: Fetch): CodeDeployApi {
  const { application, group, bucket, region, endpoint } = options;
  const { codedeploy: cd, s3 } = sdk;
  const config = {
    region,
    credentials,
    // We ask again ourselves, and show that we do.
    maxAttempts: 1,
    requestHandler: carrierWith(fetch),
    // Or they write past the server's log.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  const client = new cd.CodeDeployClient(config);
  // A stream's checksum would be sent after it, in a form that stand-ins for S3 do not all know; TLS and the ETag guard it.
  const checksums = { requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" } as const;
  const storage = new s3.S3Client({ ...config, ...checksums, forcePathStyle: endpoint !== undefined });

  async function asked<Result>(doing: string, ask: () => Promise<Result>, stop?: AbortSignal): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      stop?.throwIfAborted();
      throw troubleFrom(error, doing, options);
    }
  }

  return {
    async upload(key, tarball, stop) {
      const input = { Bucket: bucket, Key: key, Body: tarball.read(), ContentLength: tarball.size };
      const put = () => storage.send(new s3.PutObjectCommand(input), { abortSignal: stop });
      const { ETag = "" } = await asked("take the bundle", put, stop);
      return { bucket, key, eTag: ETag.replaceAll('"', "") };
    },
    async hasBundle(bundle, stop) {
      try {
        const head = new s3.HeadObjectCommand({ Bucket: bundle.bucket, Key: bundle.key });
        const { ETag = "" } = await storage.send(head, { abortSignal: stop });
        return ETag.replaceAll('"', "") === bundle.eTag;
      } catch (error) {
        stop.throwIfAborted();
        if (Error.isError(error) && error.name === "NotFound") return false;
        throw troubleFrom(error, "show the bundle", options);
      }
    },
    async find(description, since, stop) {
      for (let nextToken: string | undefined; ; ) {
        const input = { applicationName: application, deploymentGroupName: group, createTimeRange: { start: since } };
        const page = { ...input, ...(nextToken === undefined ? {} : { nextToken }) };
        const listed = await asked(
          "list deployments",
          () => client.send(new cd.ListDeploymentsCommand(page), { abortSignal: stop }),
          stop,
        );
        // At most 25 may be asked for at once.
        const ids = listed.deployments ?? [];
        for (let at = 0; at < ids.length; at += 25) {
          const command = new cd.BatchGetDeploymentsCommand({ deploymentIds: ids.slice(at, at + 25) });
          const got = await asked("show deployments", () => client.send(command, { abortSignal: stop }), stop);
          const own = got.deploymentsInfo?.find((one) => one.description === description && one.deploymentId !== undefined);
          if (own?.deploymentId !== undefined) return own.deploymentId;
        }
        nextToken = listed.nextToken;
        if (nextToken === undefined) return null;
      }
    },
    async create(bundle, description) {
      const s3Location = { bucket: bundle.bucket, key: bundle.key, eTag: bundle.eTag, bundleType: "tgz" as const };
      const command = new cd.CreateDeploymentCommand({
        applicationName: application,
        deploymentGroupName: group,
        revision: { revisionType: "S3", s3Location },
        description,
      });
      const { deploymentId = "" } = await asked("create a deployment", () => client.send(command));
      return deploymentId;
    },
    async state(deployment, stop) {
      const command = new cd.GetDeploymentCommand({ deploymentId: deployment });
      const { deploymentInfo: info } = await asked(
        "show the deployment",
        () => client.send(command, { abortSignal: stop }),
        stop,
      );
      return {
        status: info?.status ?? "",
        problem: info?.errorInformation?.message ?? null,
        rollback: info?.rollbackInfo?.rollbackDeploymentId ?? null,
      };
    },
    async happenings(deployment, stop) {
      const list = new cd.ListDeploymentTargetsCommand({ deploymentId: deployment });
      const doing = "show the life-cycle events";
      const { targetIds = [] } = await asked(doing, () => client.send(list, { abortSignal: stop }), stop);
      if (targetIds.length === 0) return [];
      // As many as may be asked for at once; nobody reads the events of more.
      const command = new cd.BatchGetDeploymentTargetsCommand({ deploymentId: deployment, targetIds: targetIds.slice(0, 25) });
      const { deploymentTargets = [] } = await asked(doing, () => client.send(command, { abortSignal: stop }), stop);
      return deploymentTargets.flatMap(happeningsOf);
    },
    async stop(deployment, stop) {
      const command = new cd.StopDeploymentCommand({ deploymentId: deployment, autoRollbackEnabled: true });
      try {
        await client.send(command, { abortSignal: stop });
      } catch (error) {
        stop.throwIfAborted();
        if (Error.isError(error) && error.name === "DeploymentAlreadyCompletedException") return;
        throw troubleFrom(error, "stop the deployment", options);
      }
    },
  };
}

function happeningsOf({ instanceTarget, ecsTarget, lambdaTarget }: DeploymentTarget): readonly Happening[] {
  const target = instanceTarget ?? ecsTarget ?? lambdaTarget;
  const where = target?.targetId ?? "";
  return (target?.lifecycleEvents ?? []).map((event: LifecycleEvent) => ({
    where,
    event: event.lifecycleEventName ?? "",
    status: event.status ?? "",
    says: [event.diagnostics?.scriptName, event.diagnostics?.message, event.diagnostics?.logTail].filter(Boolean).join("\n"),
  }));
}
