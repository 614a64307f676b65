import { expect, it } from "@jest/globals";
import { knownWith } from "../../src/known.ts";
import { sayMistake } from "../../src/repository-file/mistake.ts";
import { parseRepositoryFile } from "../../src/repository-file/parse.ts";
import { targets } from "../../src/targets/index.ts";

it("lists every target by its name", () => {
  expect([...targets].map(([name, target]) => [name, target.name])).toEqual([
    ["directory", "directory"],
    ["command", "command"],
    ["ssh", "ssh"],
    ["heroku", "heroku"],
    ["codedeploy", "codedeploy"],
    ["webhook", "webhook"],
  ]);
});

it.each([
  ["directory", { path: "web", shared: ["a/b/"], restart: { run: "true" } }],
  ["command", { run: "./deploy.sh", secrets: ["API_TOKEN"] }],
  [
    "ssh",
    { hosts: ["web1", "deploy@[::1]:2222"], path: "/srv/shop", key: "KEY", shared: ["uploads/", ".env"], restart: { run: "x" } },
  ],
  ["heroku", { app: "shop", key: "HEROKU_API_KEY", from: "dist" }],
  ["codedeploy", { application: "shop", group: "production", region: "eu-central-1", bucket: "bundles", key: "AWS_KEY" }],
  ["webhook", { url: "https://argo.example.com/deploy", secret: "ARGO" }],
])("%s reads once more what it has read", (name, options) => {
  const schema = targets.get(name)?.options;
  const read = schema?.parse(options);

  expect(read).toMatchObject(options);
  expect(schema?.parse(read)).toEqual(read);
});

it.each([
  ["heroku", "{ app: 'shop-{{ pull_request.number }}', key: KEY }"],
  ["codedeploy", "{ application: shop, group: 'pr-{{ pull_request.number }}', region: eu-central-1, bucket: bundles, key: KEY }"],
  ["webhook", "{ url: https://argo.example.com/deploy, secret: ARGO }"],
])("%s has no previews: what it deploys to is there before and stays", (name, options) => {
  const parsed = parseRepositoryFile(
    `environments: { preview: { trigger: pull_request, target: ${name}, with: ${options} } }`,
    knownWith(),
  );

  expect(parsed.kind === "mistakes" ? parsed.mistakes.map(sayMistake) : parsed.kind).toEqual([
    `environments.preview.target: "${name}" cannot take a preview down; use directory, command or ssh`,
  ]);
});
