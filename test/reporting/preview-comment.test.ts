import { describe, expect, it } from "@jest/globals";
import { previewComment } from "../../src/reporting/preview-comment.ts";
import type { PreviewOfPullRequest } from "../../src/runs/previews.ts";
import type { DeploymentRun } from "../../src/runs/run.ts";
import { deploymentRun, ended, running } from "../runs/plain-runs.ts";

const linkOf = ({ id }: DeploymentRun) => `https://ci.example.com/acme/shop/runs/${id}`;
const about = { environment: "preview-pr-3", preview: "preview", pullRequest: 3 };
const passed = (url: string) => ended({ kind: "passed", live: { release: null, url } } as const);
const live = deploymentRun(passed("https://pr-3.preview.example.com"), { ...about, id: 1 });

function said(more: Partial<PreviewOfPullRequest>): string {
  const preview = { environment: "preview-pr-3", preview: "preview", newest: live, live, ...more };
  return previewComment([preview], linkOf).replace("<!-- signalbox previews -->\n", "");
}

describe("the comment on a pull request's previews", () => {
  it.each<[string, Partial<PreviewOfPullRequest>, string]>([
    [
      "is live",
      {},
      "- **preview**: <https://pr-3.preview.example.com/>, showing 4be07d1. [Log](https://ci.example.com/acme/shop/runs/1)\n",
    ],
    [
      "is being updated",
      { newest: deploymentRun(running, { ...about, id: 2, sha: "d2a6c83317e95e1a0f8d4d303ce9fbfbf4790674" }) },
      "- **preview**: <https://pr-3.preview.example.com/>, showing 4be07d1; d2a6c83: `Running` [Log](https://ci.example.com/acme/shop/runs/2)\n",
    ],
    [
      "failed",
      {
        live: null,
        newest: deploymentRun(ended({ kind: "failed", what: "the build exited with 2" } as const), { ...about, id: 2 }),
      },
      "- **preview**: 4be07d1: `Failed: the build exited with 2 after 40 s` [Log](https://ci.example.com/acme/shop/runs/2)\n",
    ],
    [
      "is gone",
      {
        live: null,
        newest: deploymentRun(ended({ kind: "passed", note: "Taken down: pull request #3 was closed" } as const), {
          ...about,
          id: 2,
          task: "teardown",
        }),
      },
      "- **preview**: `Taken down: pull request #3 was closed` [Log](https://ci.example.com/acme/shop/runs/2)\n",
    ],
    [
      "is going",
      { newest: deploymentRun(running, { ...about, id: 2, task: "teardown" }) },
      "- **preview**: <https://pr-3.preview.example.com/>, showing 4be07d1; being taken down. [Log](https://ci.example.com/acme/shop/runs/2)\n",
    ],
    [
      "does not go",
      {
        live: null,
        newest: deploymentRun(ended({ kind: "errored", what: "the disk is gone" } as const), {
          ...about,
          id: 2,
          task: "teardown",
        }),
      },
      "- **preview**: not taken down yet: `Error: the disk is gone` [Log](https://ci.example.com/acme/shop/runs/2)\n",
    ],
    [
      "is live at no address",
      {
        newest: deploymentRun(ended({ kind: "passed" } as const), about),
        live: deploymentRun(ended({ kind: "passed" } as const), about),
      },
      "- **preview**: is live, showing 4be07d1. [Log](https://ci.example.com/acme/shop/runs/12)\n",
    ],
  ])("of one that %s", (_what, more, text) => {
    expect(said(more)).toBe(text);
  });

  it("lets no words of a stranger become a mention, a link or markup", () => {
    const what = "`@acme/all` [click](https://evil.example.com) <img src=x>\u202e ``` **x**";
    const newest = deploymentRun(ended({ kind: "failed", what } as const), { ...about, id: 2 });
    const [, code = "", after] = said({ live: null, newest }).split("`");
    expect(code).toContain("@acme/all [click](https://evil.example.com) <img src=x>  **x**");
    expect(after).toBe(" [Log](https://ci.example.com/acme/shop/runs/2)\n");
  });

  it.each([
    ["javascript:alert(1)", "is live, showing"],
    ["https://a.example.com/> **x** <b>", "<https://a.example.com/%3E%20**x**%20%3Cb%3E>, showing"],
    ["not an address", "is live, showing"],
  ])("shows the address %s as no more than it is", (url, shown) => {
    const one = deploymentRun(passed(url), about);
    expect(said({ newest: one, live: one })).toContain(`- **preview**: ${shown}`);
  });
});
