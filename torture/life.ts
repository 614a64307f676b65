import type { GitHubStandIn } from "../demo/github/github.ts";
import type { Repository } from "../demo/github/repository.ts";
import type { Random } from "./random.ts";

/** What people do on a repository, and what GitHub does to them, one deed at a time and at random. */
export interface Life {
  readonly repository: Repository;
  /** Does something. Rejects only for a fault of the stand-in. */
  act(): Promise<void>;
}

/** Notes each execution and whether two overlap, in a folder that every worker shares; the text `marker` shows in the command lines. */
function fileOf(shared: string, marker: string): string {
  const lane = `exec 9>>${shared}/lane-$SIGNALBOX_ENVIRONMENT; flock -n 9 || echo $SIGNALBOX_ENVIRONMENT >> ${shared}/overlaps`;
  const deploy = `${lane}; echo $SIGNALBOX_SHA $SIGNALBOX_ENVIRONMENT >> ${shared}/executed; sleep 0.3; : ${marker}`;
  return `
checks:
  test: { run: "sleep 0.2; : ${marker}" }
  lint: { run: "true; : ${marker}" }
environments:
  staging: { trigger: merge, target: command, with: { run: "${deploy}" } }
  production: { after: staging, approvals: { count: 1 }, target: command, with: { run: "${deploy}" } }
`;
}

export async function beginLife(github: GitHubStandIn, random: Random, shared: string, marker: string): Promise<Life> {
  const repository = await github.repository({
    owner: "acme",
    name: "shop",
    files: { ".github/signalbox.yml": fileOf(shared, marker) },
    permissions: { mira: "write", jonas: "maintain" },
  });
  let count = 0;
  const open = new Map<number, string>();
  const merged: string[] = [];

  const change = () => {
    count += 1;
    return { files: { [`file-${count}`]: `${count}` }, message: `Change ${count}`, author: "mira" };
  };
  const propose = async () => {
    const branch = `branch-${count + 1}`;
    await repository.commit({ branch, from: "main", ...change() });
    open.set(await repository.openPullRequest({ title: `Change ${count}`, head: branch, author: "mira" }), branch);
  };
  const anOpenOne = () => random.pick([...open]);

  const deeds: readonly (() => Promise<void>)[] = [
    propose,
    propose,
    async () => {
      const [, branch] = anOpenOne() ?? [];
      if (branch !== undefined) await repository.commit({ branch, ...change() });
    },
    async () => {
      const [number] = anOpenOne() ?? [];
      if (number === undefined) return;
      open.delete(number);
      merged.push(await repository.merge(number, { by: "mira" }));
    },
    async () => {
      const sha = merged.at(-1);
      const number = open.keys().next().value ?? 1;
      if (sha !== undefined) await repository.comment({ by: "jonas", number, body: `/approve production ${sha.slice(0, 10)}` });
    },
    async () => {
      const sha = merged.at(-1);
      if (sha !== undefined) await repository.createDeployment({ by: "mira", ref: sha, environment: "staging" });
    },
    async () => {
      const again = random.pick(github.deliveries().slice(-10));
      if (again !== undefined) void github.redeliver(again.guid);
    },
    async () => github.fault({ answer: random.pick(["cut", "cut after"] as const) ?? "cut", times: 1 + random.below(2) }),
    async () => github.fault({ answer: { status: random.pick([500, 502, 503]) ?? 500 }, times: 1 + random.below(3) }),
    async () => github.fault({ method: "POST", answer: { status: 403, headers: { "Retry-After": "1" } } }),
    async () => github.fault({ answer: { status: 401 } }),
    async () => github.fault({ webhook: "duplicate" }),
  ];
  return {
    repository,
    async act() {
      if (open.size === 0) return propose();
      await random.pick(deeds)?.();
    },
  };
}
