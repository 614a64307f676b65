import { notFound, ok, page, Refusal } from "../http/answers.ts";
import { parameter, type Route, repositoryRoute, route } from "../http/router.ts";
import { appIdOf } from "../world.ts";

/** What GitHub says of itself, and of rules that no repository here has. */
export const serverFactRoutes: readonly Route[] = [
  route("GET", "/meta", () => ok({ verifiable_password_authentication: true, installed_version: "3.18.0" })),
  // https://docs.github.com/en/rest/rate-limit/rate-limit
  route("GET", "/rate_limit", ({ world }) => {
    const core = { limit: 5000, used: 0, remaining: 5000, reset: Math.ceil(world.clock.now().getTime() / 1000) + 3600 };
    return ok({ resources: { core, search: core }, rate: core });
  }),
  repositoryRoute("GET", "/rules/branches/:branch", ["metadata:read"], (call, { required, id }) => {
    const contexts = required.get(parameter(call, "branch"))?.byRuleset ?? [];
    if (contexts.length === 0) return page(call.url, []);
    const from = { ruleset_source_type: "Repository", ruleset_source: String(id), ruleset_id: 42 };
    const checks = contexts.map((one) =>
      typeof one === "string" ? { context: one } : { context: one.context, integration_id: appIdOf(call.world, one.app) },
    );
    const parameters = { required_status_checks: checks, strict_required_status_checks_policy: false };
    return page(call.url, [
      { type: "deletion", ...from },
      { type: "required_status_checks", parameters, ...from },
    ]);
  }),
  repositoryRoute("GET", "/branches/:branch/protection", ["administration:read"], (call) => {
    throw parameter(call, "branch") === "" ? notFound() : new Refusal(404, "Branch not protected");
  }),
];
