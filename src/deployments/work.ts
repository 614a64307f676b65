import type { Database } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { AllowedAddress } from "../outbound/addresses.ts";
import type { GitSource } from "../process/checkout.ts";
import type { Sandbox } from "../process/sandbox.ts";
import type { Workspaces } from "../process/workspace.ts";
import type { TemplateFacts } from "../repository-file/template.ts";
import type { RunIo, RunningDeployment } from "../runs/execute.ts";
import type { AnyTarget } from "../targets/target.ts";
import type { Artefacts } from "./artefacts.ts";
import type { DeploymentConfiguration } from "./configuration.ts";

/** What this room needs of the world to execute a deployment. */
export interface ExecutionMeans {
  readonly database: Database;
  readonly settings: {
    readonly dataDir: string;
    readonly publicUrl: string;
    readonly outboundAllow: readonly AllowedAddress[];
  };
  readonly workspaces: Workspaces;
  readonly artefacts: Artefacts;
  readonly targets: ReadonlyMap<string, AnyTarget>;
  readonly sandbox: Sandbox;
  readonly mark: Readonly<Record<string, string>>;
  readonly toolsPaths: readonly string[];
  gitSource(repository: Repository): GitSource;
  /** Absolute folders that a repository's deployments may write; the first is its own. */
  allowedPaths(repository: Repository): readonly [string, ...string[]];
  /** The secrets of an environment by name; without it there are none. */
  secretsFor?(repository: Repository, environment: string): (name: string) => Promise<string | null>;
}

/** One deployment while it is executed. */
export interface Work {
  readonly means: ExecutionMeans;
  readonly run: RunningDeployment;
  readonly repository: Repository;
  readonly configuration: DeploymentConfiguration;
  readonly target: AnyTarget;
  readonly facts: TemplateFacts;
  /** `stop` is aborted by the plan's time-out, too. */
  readonly io: RunIo;
}
