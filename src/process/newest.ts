/** Remembers what was found under the keys that were asked for last, so many of them; what failed is found anew. */
export function newest<Value>(limit: number): (key: string, find: () => Promise<Value>) => Promise<Value> {
  const found = new Map<string, Value>();
  return async (key, find) => {
    const value = found.get(key) ?? (await find());
    found.delete(key);
    found.set(key, value);
    for (const [oldest] of found) {
      if (found.size <= limit) break;
      found.delete(oldest);
    }
    return value;
  };
}
