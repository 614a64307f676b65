import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { type Api, apiOf, fields, installationToken, list } from "./client.ts";

describe("files at the stand-in", () => {
  let github: GitHubStandIn;
  let repository: Repository;
  let api: Api;
  const contents = "/repos/acme/shop/contents";

  beforeAll(async () => {
    github = await startGitHub();
    repository = await github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": "checks: {}\n", "a b/ü#?.txt": "umlaut\n", "big.txt": "x".repeat(1024 * 1024 + 1) },
    });
    await repository.commit({
      branch: "feature/cart",
      files: { ".github/signalbox.yml": "checks: { lint: {} }\n" },
      message: "Lint",
      author: "octocat",
    });
    api = apiOf(github, await installationToken(github));
  });
  afterAll(() => github.close());

  const text = async (path: string) => Buffer.from(String(fields((await api("GET", path)).body).content), "base64").toString();
  const raw = { Accept: "application/vnd.github.raw+json" };

  it("gives a file at the default branch, a branch or a commit", async () => {
    const path = `${contents}/.github/signalbox.yml`;
    expect(await text(path)).toBe("checks: {}\n");
    expect(await text(`${path}?ref=feature/cart`)).toBe("checks: { lint: {} }\n");
    expect(await text(`${path}?ref=${await repository.head()}`)).toBe("checks: {}\n");
    expect((await api("GET", path)).body).toMatchObject({ type: "file", encoding: "base64", size: 11, name: "signalbox.yml" });
  });

  it("gives it raw when asked", async () => {
    const answer = await api("GET", `${contents}/.github/signalbox.yml`, undefined, raw);
    expect([answer.body, answer.headers.get("content-type")]).toEqual([
      "checks: {}\n",
      "application/vnd.github.raw+json; charset=utf-8",
    ]);
  });

  it("leaves the content of more than 1 MB to the raw media type", async () => {
    expect((await api("GET", `${contents}/big.txt`)).body).toMatchObject({
      encoding: "none",
      content: "",
      size: 1024 * 1024 + 1,
    });
    expect((await api("GET", `${contents}/big.txt`, undefined, raw)).body).toHaveLength(1024 * 1024 + 1);
  });

  it("answers 304 to who has it already", async () => {
    const first = await api("GET", `${contents}/.github/signalbox.yml`);
    const again = (etag: string | null) =>
      fetch(`${github.url}/api/v3${contents}/.github/signalbox.yml`, { headers: { "If-None-Match": String(etag) } });
    expect((await again(first.headers.get("etag"))).status).toBe(304);
    expect((await again('"other"')).status).toBe(200);
  });

  it("lists folders", async () => {
    expect((await list(api("GET", `${contents}/`))).map(({ type, path }) => `${type} ${path}`)).toEqual([
      "dir .github",
      "dir a b",
      "file big.txt",
    ]);
    const [file] = await list(api("GET", `${contents}/a%20b`));
    expect(file).toMatchObject({ path: "a b/ü#?.txt", size: 7 });
    expect(await text(String(file?.url).slice(`${github.url}/api/v3`.length))).toBe("umlaut\n");
  });

  it.each([
    "/nothing.txt",
    "/.github/signalbox.yml?ref=nothing",
    "/.github/signalbox.yml/deeper",
    "/..%2F..%2Fetc%2Fpasswd",
    "/*.txt",
    "/big.txt?ref=main~0",
    "/big.txt?ref=--all",
    "/big.txt?ref=main:big.txt",
  ])("does not find %s", async (path) => {
    expect((await api("GET", contents + path)).status).toBe(404);
  });

  it("lists trees, whole when asked", async () => {
    const paths = async (query: string) => {
      const tree = fields((await api("GET", `/repos/acme/shop/git/trees/main${query}`)).body).tree;
      return Array.isArray(tree) ? tree.map(({ path }) => path) : [];
    };
    expect(await paths("")).toEqual([".github", "a b", "big.txt"]);
    expect(await paths("?recursive=1")).toEqual([".github", ".github/signalbox.yml", "a b", "a b/ü#?.txt", "big.txt"]);
  });
});
