import { describe, expect, it } from "@jest/globals";
import { knownWith } from "../../src/known.ts";
import { sayMistake } from "../../src/repository-file/mistake.ts";
import { parseRepositoryFile } from "../../src/repository-file/parse.ts";

function says(check: string): readonly string[] {
  const parsed = parseRepositoryFile(`checks: { e2e: ${check} }`, knownWith());
  return parsed.kind === "file" ? [] : parsed.mistakes.map(sayMistake);
}

describe("the runners in a repository's file", () => {
  it.each([
    "{ runner: jenkins, with: { url: https://jenkins.example.com, job: shop-e2e, credentials: JENKINS_TOKEN } }",
    "{ runner: jenkins, with: { url: https://ci.example.com/jenkins/, job: team/shop e2e, credentials: J, parameters: { browser: firefox, tries: 3, fast: true } } }",
    "{ runner: travis, with: { token: TRAVIS_TOKEN } }",
    "{ runner: travis, with: { token: TRAVIS_TOKEN, endpoint: https://travis.example.com/api } }",
    "{ runner: webhook, with: { url: https://ci.example.com/hook, secret: CI_SECRET }, timeout: 1h, paths: [src/**] }",
  ])("may be asked for as in %s", (check) => {
    expect(says(check)).toEqual([]);
  });

  it.each([
    [
      "{ runner: jenkins, with: { url: https://jenkins.example.com, job: shop-e2e, credentials: JENKINS_TOKEN }, env: { A: b }, run: a }",
      ["checks.e2e.run: is only for the runner local; remove it", "checks.e2e.env: is only for the runner local; remove it"],
    ],
    [
      "{ runner: jenkins, with: { url: jenkins.example.com, job: /shop, token: x } }",
      [
        "checks.e2e.with.url: must be an address that starts with https:// or http://",
        'checks.e2e.with.job: must be the name of a job, its folders before it: "team/shop-e2e"',
        "checks.e2e.with.credentials: is missing; it must be text",
        "checks.e2e.with.token: is not a key here; known: url, job, parameters and credentials",
      ],
    ],
    [
      "{ runner: webhook, with: { url: https://ci.example.com, secret: hunter2-hunter2 } }",
      [
        "checks.e2e.with.secret: must be the name of a secret: letters, digits and underscores; its value never belongs into the file",
      ],
    ],
    ["{ runner: jenkin }", ['checks.e2e.runner: "jenkin" is not a runner; did you mean "jenkins"?']],
  ])("are refused as in %s", (check, sentences) => {
    expect(says(check).toSorted()).toEqual(sentences.toSorted());
  });
});
