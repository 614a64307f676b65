import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  renderOptions,
  renderTemplate,
  renderUrl,
  type TemplateFacts,
  templateProblems,
} from "../../src/repository-file/template.ts";

const facts: TemplateFacts = {
  pullRequest: 12,
  sha: "4be07d1c2f6f0a3b5d7e9f1a2b3c4d5e6f708192",
  ref: "feature/$(id)",
  environment: "staging",
  repository: { owner: "acme", name: "shop" },
};

describe("a template", () => {
  it.each([
    ["pr-{{ pull_request.number }}", "pr-12"],
    ["{{sha}}", facts.sha],
    ["{{  short_sha  }}", "4be07d1"],
    ["{{ ref }}", "feature/$(id)"],
    ["{{ repository.owner }}/{{ repository.name }}/{{ environment }}", "acme/shop/staging"],
    ["no { brackets }} at all", "no { brackets }} at all"],
    ["", ""],
  ])("%j becomes %j", (text, rendered) => {
    expect(templateProblems(text, { pullRequest: true })).toEqual([]);
    expect(renderTemplate(text, facts)).toBe(rendered);
  });

  it("does not fill in what a value brings along", () => {
    expect(renderTemplate("{{ ref }}", { ...facts, ref: "{{ sha }}" })).toBe("{{ sha }}");
  });

  it("cannot make an address of another host", () => {
    expect(renderUrl("https://{{ ref }}.example.com/{{ sha }}", { ...facts, ref: "evil.example/#" })).toBe(
      `https://evil.example%2F%23.example.com/${facts.sha}`,
    );
  });

  it("is filled in everywhere in a with:, but not where a shell reads it", () => {
    const options = {
      path: "{{ environment }}",
      list: ["{{ sha }}", { ref: "{{ ref }}", run: "echo {{ ref }}" }],
      run: "{{ ref }}",
      keep: 3,
      no: null,
    };
    expect(renderOptions(options, facts)).toEqual({
      path: "staging",
      list: [facts.sha, { ref: "feature/$(id)", run: "echo {{ ref }}" }],
      run: "{{ ref }}",
      keep: 3,
      no: null,
    });
  });

  it("does not guess: without a pull request, its number is an error", () => {
    expect(() => renderTemplate("{{ pull_request.number }}", { ...facts, pullRequest: null })).toThrow(
      "this deployment has no pull request",
    );
  });

  it("renders exactly when it has no problem", () => {
    const parts = fc.constantFrom(
      "{{",
      "}}",
      "{",
      "}",
      " ",
      "sha",
      "ref",
      "pull_request.number",
      "__proto__",
      "constructor",
      "a",
    );
    fc.assert(
      fc.property(fc.array(parts), (given) => {
        const text = given.join("");
        const render = () => renderTemplate(text, facts);
        if (templateProblems(text, { pullRequest: true }).length === 0) expect(typeof render()).toBe("string");
        else expect(render).toThrow();
      }),
    );
  });
});
