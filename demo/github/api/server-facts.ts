import { notFound, ok, page, Refusal } from "../http/answers.ts";
import { parameter, type Route, repositoryRoute, route } from "../http/router.ts";

/** What GitHub says of itself, and of rules that no repository here has. */
export const serverFactRoutes: readonly Route[] = [
  route("GET", "/meta", () => ok({ verifiable_password_authentication: true, installed_version: "3.18.0" })),
  // https://docs.github.com/en/rest/rate-limit/rate-limit
  route("GET", "/rate_limit", ({ world }) => {
    const core = { limit: 5000, used: 0, remaining: 5000, reset: Math.ceil(world.clock.now().getTime() / 1000) + 3600 };
    return ok({ resources: { core, search: core }, rate: core });
  }),
  repositoryRoute("GET", "/rules/branches/:branch", ["metadata:read"], ({ url }) => page(url, [])),
  repositoryRoute("GET", "/branches/:branch/protection", ["administration:read"], (call) => {
    throw parameter(call, "branch") === "" ? notFound() : new Refusal(404, "Branch not protected");
  }),
];
