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
  const kept = new Map<string, Promise<Token>>();
  const keyOf = (scope: TokenScope) => `${scope.installation}/${scope.repository ?? "*"}`;

  async function fresh(scope: TokenScope): Promise<Token> {
    const minted = mint(scope);
    kept.set(keyOf(scope), minted);
    try {
      return await minted;
    } catch (error) {
      if (kept.get(keyOf(scope)) === minted) kept.delete(keyOf(scope));
      throw error;
    }
  }

  return {
    async get(scope) {
      const token = await (kept.get(keyOf(scope)) ?? fresh(scope));
      return token.expiresAt.getTime() - clock() > margin ? token.value : (await fresh(scope)).value;
    },
    forget(scope, value) {
      const key = keyOf(scope);
      const promise = kept.get(key);
      void promise?.then((token) => {
        if (token.value === value && kept.get(key) === promise) kept.delete(key);
      });
    },
  };
}
