/**
 * Follows GitHub's redirects to what was renamed or transferred, with the same method and body. `fetch` itself would turn a POST into a GET
 * after a 301: a report would count as said that never was.
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
 */
export function followingRedirects(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    let address = typeof input === "string" ? input : "url" in input ? input.url : input.href;
    for (let hops = 0; ; hops += 1) {
      const answer = await fetch(address, { ...init, redirect: "manual" });
      const location = answer.headers.get("location");
      if (![301, 302, 307, 308].includes(answer.status) || location === null) return answer;
      await answer.body?.cancel();
      const next = new URL(location, address);
      // The token goes nowhere else.
      if (next.origin !== new URL(address).origin)
        throw new Error(`GitHub redirects to another host, ${next.host}; it is not followed`);
      if (hops === mostHops) throw new Error("GitHub redirects in circles");
      address = next.href;
    }
  };
}

const mostHops = 3;
