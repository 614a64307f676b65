/** What Signalbox asks of GitHub. A request for anything else fails the test that makes it, until it stands here. */
export const usedOperations: readonly string[] = `
  GET /app
  GET /apps/{app_slug}
  GET /app/installations
  POST /app/installations/{installation_id}/access_tokens
  GET /app/hook/deliveries
  GET /app/hook/deliveries/{delivery_id}
  POST /app/hook/deliveries/{delivery_id}/attempts
  POST /app-manifests/{code}/conversions
  GET /installation/repositories
  GET /user
  GET /users/{username}
  GET /orgs/{org}/teams/{team_slug}/memberships/{username}
  GET /rate_limit
  GET /meta
  GET /repos/{owner}/{repo}
  GET /repos/{owner}/{repo}/installation
  GET /repos/{owner}/{repo}/contents/{path}
  GET /repos/{owner}/{repo}/git/commits/{commit_sha}
  GET /repos/{owner}/{repo}/git/trees/{tree_sha}
  GET /repos/{owner}/{repo}/git/ref/{ref}
  GET /repos/{owner}/{repo}/commits
  GET /repos/{owner}/{repo}/commits/{ref}
  GET /repos/{owner}/{repo}/commits/{ref}/status
  GET /repos/{owner}/{repo}/commits/{ref}/statuses
  GET /repos/{owner}/{repo}/commits/{ref}/check-runs
  GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls
  GET /repos/{owner}/{repo}/compare/{basehead}
  GET /repos/{owner}/{repo}/branches/{branch}
  GET /repos/{owner}/{repo}/branches/{branch}/protection
  GET /repos/{owner}/{repo}/rules/branches/{branch}
  GET /repos/{owner}/{repo}/pulls
  GET /repos/{owner}/{repo}/pulls/{pull_number}
  GET /repos/{owner}/{repo}/pulls/{pull_number}/files
  GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews
  PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge
  POST /repos/{owner}/{repo}/statuses/{sha}
  POST /repos/{owner}/{repo}/check-runs
  PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}
  GET /repos/{owner}/{repo}/deployments
  POST /repos/{owner}/{repo}/deployments
  GET /repos/{owner}/{repo}/deployments/{deployment_id}
  DELETE /repos/{owner}/{repo}/deployments/{deployment_id}
  GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses
  POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses
  DELETE /repos/{owner}/{repo}/environments/{environment_name}
  GET /repos/{owner}/{repo}/issues/{issue_number}/comments
  POST /repos/{owner}/{repo}/issues/{issue_number}/comments
  GET /repos/{owner}/{repo}/issues/comments/{comment_id}
  PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}
  POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions
  GET /repos/{owner}/{repo}/collaborators/{username}/permission
`
  .trim()
  .split("\n")
  .map((line) => line.trim());

type Limit = { readonly [keyword: string]: string | number };

/** What GitHub's documentation says of bodies and its OpenAPI description does not. */
export const bodyLimits: readonly { readonly path: string; readonly property: string; readonly limit: Limit }[] = [
  // Longer: 422. https://docs.github.com/rest/commits/statuses#create-a-commit-status
  { path: "/repos/{owner}/{repo}/statuses/{sha}", property: "description", limit: { maxLength: 140 } },
  // https://docs.github.com/rest/deployments/statuses#create-a-deployment-status
  { path: "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", property: "description", limit: { maxLength: 140 } },
];

/** The same of parameters, by name. */
export const parameterLimits: { readonly [name: string]: Limit } = {
  // More gives 100 without a word, so that a next page is forgotten. https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
  per_page: { minimum: 1, maximum: 100 },
  page: { minimum: 1 },
  // https://docs.github.com/rest/commits/commits#compare-two-commits
  basehead: { pattern: "^.+\\.\\.\\..+$" },
};
