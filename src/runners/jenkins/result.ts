import type { CheckEnding } from "../runner.ts";

/**
 * What a build's result means. `ABORTED` is also what Jenkins' own time-outs say, and `NOT_BUILT` what a job says that gave way to another:
 * neither is about the commit. https://javadoc.jenkins.io/hudson/model/Result.html
 */
export function endingOfResult(result: string, build: string): CheckEnding {
  switch (result) {
    case "SUCCESS":
      return { kind: "passed" };
    case "UNSTABLE":
      return { kind: "failed", what: `${build} is unstable` };
    case "FAILURE":
      return { kind: "failed", what: `${build} failed` };
    case "ABORTED":
      return { kind: "errored", what: `${build} was aborted in Jenkins`, fix: "Run it again" };
    case "NOT_BUILT":
      return { kind: "errored", what: `${build} was not built by Jenkins`, fix: "Run it again" };
    default:
      return { kind: "errored", what: `${build} ended as "${result}", which is no result of Jenkins that is known here` };
  }
}
