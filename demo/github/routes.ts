import { appRoutes } from "./api/apps.ts";
import { checkRunRoutes } from "./api/check-runs.ts";
import { commentRoutes } from "./api/comments.ts";
import { commitRoutes } from "./api/commits.ts";
import { contentRoutes } from "./api/contents.ts";
import { deploymentRoutes } from "./api/deployments.ts";
import { gitObjectRoutes } from "./api/git-objects.ts";
import { hookDeliveryRoutes } from "./api/hook-deliveries.ts";
import { pullRequestRoutes } from "./api/pull-requests.ts";
import { repositoryRoutes } from "./api/repositories.ts";
import { serverFactRoutes } from "./api/server-facts.ts";
import { statusRoutes } from "./api/statuses.ts";
import type { Route } from "./http/router.ts";
import { pullRequestPages } from "./pages/pull-request.ts";
import { repositoryPages } from "./pages/repository.ts";
import { signInPages } from "./pages/sign-in.ts";

/** Below `/api/v3`; of several that match, the first. */
export const apiRoutes: readonly Route[] = [
  ...appRoutes,
  ...hookDeliveryRoutes,
  ...repositoryRoutes,
  ...contentRoutes,
  ...statusRoutes, // before the commits, whose ref may contain slashes
  ...checkRunRoutes,
  ...commitRoutes,
  ...gitObjectRoutes,
  ...pullRequestRoutes,
  ...deploymentRoutes,
  ...commentRoutes,
  ...serverFactRoutes,
];

export const webRoutes: readonly Route[] = [...signInPages, ...repositoryPages, ...pullRequestPages];
