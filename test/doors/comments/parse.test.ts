import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Command, parseComment } from "../../../src/doors/comments/parse.ts";

const cancel: Command = { kind: "cancel" };

describe("a comment", () => {
  it.each<[string, Command]>([
    ["/approve 4be07d1", { kind: "approve checks", sha: "4be07d1" }],
    ["/approve 4BE07D1A", { kind: "approve checks", sha: "4be07d1a" }],
    [`/approve ${"a".repeat(40)}`, { kind: "approve checks", sha: "a".repeat(40) }],
    ["/approve production 4be07d1", { kind: "approve environment", environment: "production", sha: "4be07d1" }],
    ["/retry", { kind: "retry", check: null }],
    ["/retry e2e", { kind: "retry", check: "e2e" }],
    ["/cancel", cancel],
    ["/Cancel  ", cancel],
    ["/help", { kind: "help" }],
    ["/deploy staging", { kind: "deploy", environment: "staging", sha: null, override: null }],
    ["/deploy staging 4be07d1", { kind: "deploy", environment: "staging", sha: "4be07d1", override: null }],
    ['/deploy staging --override "it burns"', { kind: "deploy", environment: "staging", sha: null, override: "it burns" }],
    [
      "/deploy staging 4be07d1 --override “it burns”",
      { kind: "deploy", environment: "staging", sha: "4be07d1", override: "it burns" },
    ],
    ["/rollback staging", { kind: "rollback", environment: "staging", reason: null }],
    ["/rollback staging prices are wrong", { kind: "rollback", environment: "staging", reason: "prices are wrong" }],
    ["/lock staging because it burns", { kind: "lock", environment: "staging", reason: "because it burns" }],
    ["/unlock staging", { kind: "unlock", environment: "staging" }],
    ["/deploy", { kind: "not understood", name: "deploy" }],
    ["/deploy staging --override it burns", { kind: "not understood", name: "deploy" }],
    ['/deploy staging --override " "', { kind: "not understood", name: "deploy" }],
    ["/deploy staging now", { kind: "not understood", name: "deploy" }],
    ["/deploy ../etc", { kind: "not understood", name: "deploy" }],
    ["/lock staging", { kind: "not understood", name: "lock" }],
    ["/unlock staging please", { kind: "not understood", name: "unlock" }],
    ["/approve", { kind: "not understood", name: "approve" }],
    ["/approve 4be07d", { kind: "not understood", name: "approve" }],
    ["/approve staging 4be07d", { kind: "not understood", name: "approve" }],
    ["/approve my thing 4be07d1", { kind: "not understood", name: "approve" }],
    [`/approve ${"a".repeat(41)}`, { kind: "not understood", name: "approve" }],
    ["/retry a b", { kind: "not understood", name: "retry" }],
    ["/cancel the party", { kind: "not understood", name: "cancel" }],
  ])("%s is understood", (body, command) => {
    expect(parseComment(body)).toEqual([command]);
  });

  it("may say more around its commands, in any line ends", () => {
    const body = "Looks good to me.\r\n/approve 4be07d1\r\nand then\n/retry test\r/cancel";
    expect(parseComment(body).map(({ kind }) => kind)).toEqual(["approve checks", "retry", "cancel"]);
  });

  it.each([
    "",
    "Please /cancel",
    " /cancel",
    "\t/cancel",
    "    /cancel",
    "//cancel",
    "/",
    "/ cancel",
    "/lgtm",
    "/cancellation",
    "/usr/bin/cancel",
    "/toString",
    "/constructor",
    "/__proto__",
    "- /cancel",
    "`/cancel`",
    "**/cancel**",
  ])("that is %j commands nothing", (body) => {
    expect(parseComment(body)).toEqual([]);
  });

  it.each([
    ["a quote", "> /cancel"],
    ["a quote without a space", ">/cancel"],
    ["a quote in a quote", "> > /cancel"],
    ["a quote that goes on without its mark", "> He wrote:\n/cancel"],
    ["a quote in a list that goes on", "- > He wrote:\n/cancel"],
    ["a fence", "```\n/cancel\n```"],
    ["a fence with a language", "```sh\n/cancel\n```"],
    ["a fence of tildes", "~~~ `x`\n/cancel\n~~~"],
    ["a longer fence around a shorter one", "````\n```\n/cancel\n```\n/cancel\n````"],
    ["a fence that the other kind does not end", "```\n~~~\n/cancel\n```"],
    ["a fence that words do not end", "```\n``` sh\n/cancel\n```"],
    ["a fence that never ends", "```\n/cancel"],
    ["an indented fence", "   ```\n/cancel\n   ```"],
    ["a comment of HTML", "<!--\n/cancel\n-->"],
    ["a comment of HTML that begins in a line of text", "Template: <!-- write below\n/cancel\n--> thanks"],
    ["a comment of HTML after another one", "<!-- a --> b <!--\n/cancel\n-->"],
    ["a comment of HTML that never ends", "<!--\n/cancel"],
    ["preformatted HTML", "<pre>\n/cancel\n</pre>"],
    ["code of HTML", "<PRE><code class='x'>\n/cancel\n</code></PRE>"],
  ])("does not command within %s", (_name, body) => {
    expect(parseComment(body)).toEqual([]);
  });

  it.each([
    ["a quote and an empty line", "> He wrote\n\n/cancel"],
    ["a fence", "```\n/help\n```\n/cancel"],
    ["a fence that a longer one ends", "```\n/help\n`````\n/cancel"],
    ["what looks like a fence", "``` inline ``` code\n/cancel"],
    ["a comment of HTML", "<!-- a\nb -->\n/cancel"],
    ["a comment of HTML in one line", "<!-- /help -->\n/cancel"],
    ["a comment of HTML within a fence", "```\n<!--\n```\n/cancel"],
    ["preformatted HTML in one line", "<pre>/help</pre>\n/cancel"],
  ])("commands after %s", (_name, body) => {
    expect(parseComment(body)).toEqual([cancel]);
  });

  it("whatever it holds has no more commands than lines with a slash at their start", () => {
    const piece = fc.oneof(
      fc.constantFrom("/cancel", "/approve 4be07d1", "/retry ", "\n", "\r\n", "```", "~~~", "<!--", "-->", "> ", "    ", "<pre>"),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const body = pieces.join("");
        const starts = body.split(/\r\n|\n|\r/).filter((line) => line.startsWith("/"));
        expect(parseComment(body).length).toBeLessThanOrEqual(starts.length);
      }),
    );
  });

  it("whatever it holds commands nothing when all of it is quoted, fenced or indented", () => {
    const line = fc.oneof(fc.constantFrom("/cancel", "/help", "<!--", "text", ""), fc.string({ unit: "grapheme" }));
    const lines = fc.array(
      line.map((text) => text.replace(/[\r\n]/g, "")),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(lines, (all) => {
        const unfenced = all.filter((text) => !/^\s*`/.test(text));
        expect(parseComment(all.map((text) => `> ${text}`).join("\n"))).toEqual([]);
        expect(parseComment(all.map((text) => `    ${text}`).join("\n"))).toEqual([]);
        expect(parseComment(["```", ...unfenced, "```"].join("\n"))).toEqual([]);
      }),
    );
  });

  it.each(["/", "/retry ", "`", "<!--", "> ", "<pre", " ", "\n/x", "1.", "-->"])("of 60 KB of %j is read at once", (piece) => {
    const body = `${piece.repeat(Math.ceil(60_000 / piece.length))}\n\n/cancel`;
    expect(parseComment(body).length).toBeLessThanOrEqual(2);
  });
});
