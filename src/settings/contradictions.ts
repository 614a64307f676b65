import { isLoopback, isWildcard } from "./addresses.ts";
import { overlap } from "./folders.ts";
import type { Ground } from "./ground.ts";
import type { Values } from "./table.ts";

/** What is wrong between settings that are right by themselves. */
export function contradictions(values: Values, ground: Ground, dataDir: string): readonly string[] {
  const problems: string[] = [];
  if (values.PUBLIC_URL === null && isWildcard(ground.host)) {
    problems.push(`PUBLIC_URL is missing: nobody can open ${ground.publicUrl}; set it to the address that people and GitHub use`);
  }
  if (values.DASHBOARD_AUTH === "none" && !(isLoopback(ground.host) && isLoopback(new URL(ground.publicUrl).hostname))) {
    problems.push("DASHBOARD_AUTH: none is refused unless HOST and PUBLIC_URL are loopback; set it to github");
  }
  if (values.ROLE !== "all" && values.DATABASE_URL === null) {
    problems.push(`ROLE: ${values.ROLE} needs PostgreSQL; set DATABASE_URL, or ROLE=all`);
  }
  for (const folder of [...(values.DEPLOY_PATHS ?? []).map((path) => path.folder), ...(values.TOOLS_PATHS ?? [])]) {
    if (overlap(folder, dataDir)) {
      problems.push(
        `DEPLOY_PATHS and TOOLS_PATHS: "${folder}" overlaps DATA_DIR ("${dataDir}"), which repositories must not reach; name another`,
      );
    }
  }
  return problems;
}

/** What works and is probably not meant. */
export function doubts(values: Values, ground: Ground): readonly string[] {
  const warnings: string[] = [];
  if (values.SANDBOX === "none") {
    warnings.push("SANDBOX=none: checks run with the server's own rights, and pull requests from forks never run");
  }
  if (values.ALLOWED_REPOSITORIES?.some((pattern) => pattern.startsWith("*/"))) {
    warnings.push("ALLOWED_REPOSITORIES lets everybody who installs the App run commands here; name the owners");
  }
  const { protocol, hostname } = new URL(ground.publicUrl);
  if (values.DASHBOARD_AUTH === "github" && protocol === "http:" && !isLoopback(hostname)) {
    warnings.push("PUBLIC_URL is http: browsers keep nobody signed in there; serve the pages by https");
  }
  return warnings;
}
