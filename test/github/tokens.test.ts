import { beforeEach, describe, expect, it } from "@jest/globals";
import { openTokens, type Token, type TokenScope } from "../../src/github/tokens.ts";

const minute = 60_000;

describe("tokens of an installation", () => {
  let now: number;
  /** Every request for a token, to be answered by the test. */
  let requests: { readonly scope: TokenScope; answer(token: Token): void; refuse(error: Error): void }[];
  let tokens: ReturnType<typeof openTokens>;
  beforeEach(() => {
    now = 1_790_000_000_000;
    requests = [];
    tokens = openTokens(
      (scope) => {
        const { promise, resolve, reject } = Promise.withResolvers<Token>();
        requests.push({ scope, answer: resolve, refuse: reject });
        return promise;
      },
      () => now,
    );
  });

  const token = (value: string, lives = 60 * minute): Token => ({ value, expiresAt: new Date(now + lives) });
  /** Has the only open request answered, and what was asked for. */
  async function minted(asked: Promise<string>, value: string, lives?: number): Promise<string> {
    requests.at(-1)?.answer(token(value, lives));
    return asked;
  }

  it("are asked for once by all who want one at the same moment, and kept", async () => {
    const asked = [1, 2, 3].map(() => tokens.get({ installation: 2 }));
    expect(requests.map(({ scope }) => scope)).toEqual([{ installation: 2 }]);
    requests[0]?.answer(token("one"));
    expect(await Promise.all(asked)).toEqual(["one", "one", "one"]);
    expect(await tokens.get({ installation: 2 })).toBe("one");
    expect(requests).toHaveLength(1);
  });

  it("are not shared between installations, nor with what may read one repository only", async () => {
    const scopes = [
      { installation: 2 },
      { installation: 3 },
      { installation: 2, repository: 7 },
      { installation: 2, repository: 8 },
    ];
    const asked = scopes.map((scope) => tokens.get(scope));
    expect(requests.map(({ scope }) => scope)).toEqual(scopes);
    for (const [index, request] of requests.entries()) request.answer(token(`token ${index}`));
    expect(await Promise.all(asked)).toEqual(["token 0", "token 1", "token 2", "token 3"]);
  });

  it("are used until five minutes before their end, and then asked for once again", async () => {
    await minted(tokens.get({ installation: 2 }), "old");
    now += 55 * minute - 1;
    expect(await tokens.get({ installation: 2 })).toBe("old");
    now += 1;
    const asked = [1, 2, 3].map(() => tokens.get({ installation: 2 }));
    expect(requests).toHaveLength(2);
    requests[1]?.answer(token("new"));
    expect(await Promise.all(asked)).toEqual(["new", "new", "new"]);
  });

  it("are handed out even when GitHub gives them for less than five minutes", async () => {
    expect(await minted(tokens.get({ installation: 2 }), "short", minute)).toBe("short");
    expect(await minted(tokens.get({ installation: 2 }), "next", minute)).toBe("next");
  });

  it("that were forgotten are not handed out again, not even to who asks at once", async () => {
    await minted(tokens.get({ installation: 2 }), "refused");
    tokens.forget({ installation: 2 }, "refused");
    const asked = tokens.get({ installation: 2 });
    expect(requests).toHaveLength(2);
    expect(await minted(asked, "fresh")).toBe("fresh");
  });

  it("stay when somebody else's old one is forgotten late, or nothing was kept", async () => {
    tokens.forget({ installation: 2 }, "never seen");
    await minted(tokens.get({ installation: 2 }), "old");
    tokens.forget({ installation: 2 }, "old");
    await minted(tokens.get({ installation: 2 }), "fresh");
    tokens.forget({ installation: 2 }, "old");
    tokens.forget({ installation: 3 }, "fresh");
    expect(await tokens.get({ installation: 2 })).toBe("fresh");
    expect(requests).toHaveLength(2);
  });

  it("are asked for anew after GitHub could not give one", async () => {
    const asked = [1, 2].map(() => tokens.get({ installation: 2 }));
    requests[0]?.refuse(new Error("GitHub is down"));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await minted(tokens.get({ installation: 2 }), "one")).toBe("one");
  });
});
