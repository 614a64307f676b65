import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type Answer, type Asked, type StandIn, startStandIn } from "../runners/stand-in.ts";
import { fileInTar } from "./tar-file.ts";

const fixture = JSON.parse(readFileSync(new URL("../../fixtures/services/codedeploy.json", import.meta.url), "utf8"));
type Create = typeof fixture.requests.createDeployment;

export type Behaviour = "passes" | "fails" | "waits";

interface Deployment {
  readonly id: string;
  readonly create: Create;
  readonly createdAt: number;
  readonly goes: Behaviour;
  status: "Created" | "InProgress" | "Succeeded" | "Failed" | "Stopped";
  rollback: string | null;
}

export interface CodeDeployServer extends StandIn {
  /** Of deployments that are created from now on. */
  deployments: Behaviour;
  /** Whether the group rolls back by itself when one fails. */
  rollsBack: boolean;
  /** What a script that fails has said, besides the usual. */
  says: string;
  /** The file `version` of the revision that is live. */
  live(): string | null;
  readonly made: readonly Deployment[];
  /** S3 forgets a bundle. */
  forget(key: string): void;
  /** What is posted to CodeDeploy, by its operation. */
  posted(operation: string): unknown[];
}

/** CodeDeploy and S3 as their documentation says, with the group `production` of the application `shop`, and the bucket `acme-bundles`. */
export async function startCodeDeploy(accessKeyId: string): Promise<CodeDeployServer> {
  const objects = new Map<string, Buffer>();
  const made: Deployment[] = [];
  const posts: { readonly operation: string; readonly body: unknown }[] = [];
  const state = { deployments: "passes" as Behaviour, rollsBack: false, says: "" };
  let live: Create["revision"] | null = null;

  const eTagOf = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");
  const isActive = ({ status }: Deployment) => status === "Created" || status === "InProgress";

  function create(body: Create, goes: Behaviour): Deployment {
    const id = `d-${String(made.length + 1).padStart(9, "0")}`;
    const deployment: Deployment = { id, create: body, createdAt: Date.now(), goes, status: "Created", rollback: null };
    made.push(deployment);
    return deployment;
  }
  function rollBack(deployment: Deployment): void {
    if (live === null) return;
    const back = create({ ...deployment.create, revision: live, description: "Rollback" }, "passes");
    deployment.rollback = back.id;
  }
  /** What has been looked at goes on. */
  function moveOn(deployment: Deployment): void {
    if (deployment.status === "Created") deployment.status = "InProgress";
    else if (deployment.status === "InProgress" && deployment.goes === "passes") {
      deployment.status = "Succeeded";
      live = deployment.create.revision;
    } else if (deployment.status === "InProgress" && deployment.goes === "fails") {
      deployment.status = "Failed";
      if (state.rollsBack) rollBack(deployment);
    }
  }
  function shown({ id, create: asked, createdAt, status, rollback }: Deployment) {
    return {
      ...fixture.deployment,
      deploymentId: id,
      createTime: createdAt / 1_000,
      status,
      description: asked.description,
      revision: asked.revision,
      ...(status === "Failed" ? { errorInformation: fixture.errorInformation } : {}),
      ...(rollback === null ? {} : { rollbackInfo: { rollbackDeploymentId: rollback, rollbackMessage: "Deployment failed" } }),
    };
  }
  function eventsOf({ status, id }: Deployment) {
    const event = (lifecycleEventName: string, how: string, more = {}) => ({ lifecycleEventName, status: how, ...more });
    const started = status === "Created" ? [] : [event("ApplicationStop", "Succeeded"), event("DownloadBundle", "Succeeded")];
    const diagnostics = { ...fixture.diagnostics, logTail: `${fixture.diagnostics.logTail}${state.says}` };
    if (status === "Failed") started.push(event("AfterInstall", "Failed", { diagnostics }));
    else started.push(event("AfterInstall", status === "Succeeded" ? "Succeeded" : "Pending"));
    const target = { ...fixture.target.instanceTarget, deploymentId: id, lifecycleEvents: started };
    return [{ ...fixture.target, instanceTarget: target }];
  }

  function answer(asked: Asked): Answer {
    const authorization = asked.headers.authorization ?? "";
    if (!authorization.startsWith(`AWS4-HMAC-SHA256 Credential=${accessKeyId}/`)) {
      return { status: 403, headers: { "content-type": "application/x-amz-json-1.1" }, body: fixture.unrecognized };
    }
    return asked.headers["x-amz-target"] === undefined ? storage(asked) : codedeploy(asked);
  }

  function storage({ method, path, bytes }: Asked): Answer {
    const key = decodeURIComponent(path);
    if (!key.startsWith("/acme-bundles/")) {
      return { status: 404, headers: { "content-type": "application/xml" }, body: method === "HEAD" ? "" : fixture.noBucket };
    }
    if (method === "PUT") {
      objects.set(key, bytes);
      return { headers: { etag: `"${eTagOf(bytes)}"` } };
    }
    const found = objects.get(key);
    return found === undefined ? { status: 404 } : { headers: { etag: `"${eTagOf(found)}"` } };
  }

  function codedeploy({ headers, body }: Asked): Answer {
    const operation = String(headers["x-amz-target"]).replace("CodeDeploy_20141006.", "");
    const input = JSON.parse(body);
    posts.push({ operation, body: input });
    const json = (content: object, status = 200): Answer => ({
      status,
      headers: { "content-type": "application/x-amz-json-1.1" },
      body: content,
    });
    const found = made.find(({ id }) => id === input.deploymentId);
    switch (operation) {
      case "ListDeployments": {
        if (input.applicationName !== "shop") return json(fixture.noApplication, 400);
        if (input.deploymentGroupName !== "production") return json(fixture.noGroup, 400);
        const since = made.filter(({ createdAt }) => createdAt / 1_000 >= input.createTimeRange.start);
        // Pages of two, so that the next one is asked for.
        const from = Number(input.nextToken ?? 0);
        const page = { deployments: since.slice(from, from + 2).map(({ id }) => id) };
        return json(from + 2 < since.length ? { ...page, nextToken: String(from + 2) } : page);
      }
      case "BatchGetDeployments":
        return json({ deploymentsInfo: made.filter(({ id }) => input.deploymentIds.includes(id)).map(shown) });
      case "CreateDeployment":
        if (made.some(isActive)) return json(fixture.limitExceeded, 400);
        return json({ deploymentId: create(input, state.deployments).id });
      case "GetDeployment": {
        if (found === undefined) return json({ __type: "DeploymentDoesNotExistException" }, 400);
        moveOn(found);
        return json({ deploymentInfo: shown(found) });
      }
      case "ListDeploymentTargets":
        return json({ targetIds: found?.status === "Created" ? [] : [fixture.target.instanceTarget.targetId] });
      case "BatchGetDeploymentTargets":
        return json({ deploymentTargets: found === undefined ? [] : eventsOf(found) });
      case "StopDeployment":
        if (found === undefined || !isActive(found)) return json(fixture.completed, 400);
        found.status = "Stopped";
        if (input.autoRollbackEnabled === true) rollBack(found);
        return json({ status: "Pending", statusMessage: "No more deployments will be started" });
      default:
        return json({ __type: "UnknownOperationException" }, 400);
    }
  }

  function versionOf({ s3Location: { bucket, key } }: Create["revision"]): string | null {
    const bytes = objects.get(`/${bucket}/${key}`);
    return bytes === undefined ? null : fileInTar(gunzipSync(bytes), "version");
  }

  const standIn = await startStandIn(answer);
  return Object.assign(state, standIn, {
    made,
    live: () => (live === null ? null : versionOf(live)),
    forget: (key: string) => void objects.delete(`/acme-bundles/${key}`),
    posted: (wanted: string) => posts.filter(({ operation }) => operation === wanted).map(({ body }) => body),
  });
}
