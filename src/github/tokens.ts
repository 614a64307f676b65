/** What a token may be used for; without `repository` for all that the installation has. */
export interface TokenScope {
  readonly installation: number;
  /** Contents of this one repository, read only: what git needs to fetch. */
  readonly repository?: number;
}

export interface Token {
  readonly value: string;
  readonly expiresAt: Date;
}

export interface Tokens {
  /** Mints one when there is none that lives for five more minutes. Callers at the same moment share one request. */
  get(scope: TokenScope): Promise<string>;
  /** GitHub did not accept it although its time was not over: the next `get` mints a fresh one. */
  forget(scope: TokenScope, value: string): void;
}

const margin = 5 * 60_000;

/** Installation tokens, kept for as long as GitHub gives them (an hour). */
export function openTokens(mint: (scope: TokenScope) => Promise<Token>, clock: () => number = Date.now): Tokens {
  const kept = new Map<string, Token>();
  const minting = new Map<string, Promise<Token>>();
  const keyOf = (scope: TokenScope) => `${scope.installation}/${scope.repository ?? "*"}`;

  async function fresh(scope: TokenScope): Promise<Token> {
    const key = keyOf(scope);
    try {
      const token = await mint(scope);
      kept.set(key, token);
      return token;
    } finally {
      minting.delete(key);
    }
  }

  return {
    async get(scope) {
      const key = keyOf(scope);
      const token = kept.get(key);
      if (token !== undefined && token.expiresAt.getTime() - clock() > margin) return token.value;
      const minted = minting.get(key) ?? fresh(scope);
      minting.set(key, minted);
      return (await minted).value;
    },
    forget(scope, value) {
      const key = keyOf(scope);
      if (kept.get(key)?.value === value) kept.delete(key);
    },
  };
}
