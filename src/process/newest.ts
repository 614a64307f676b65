/** Remembers what was found under the keys that were asked for last, so many of them, and looks once for who asks at the same time; what failed is looked for anew. */
export function newest<Value>(limit: number): (key: string, find: () => Promise<Value>) => Promise<Value> {
  const found = new Map<string, Promise<Value>>();
  return (key, find) => {
    const value = found.get(key) ?? find();
    found.delete(key);
    found.set(key, value);
    value.catch(() => found.get(key) === value && found.delete(key));
    const [oldest] = found.keys();
    if (found.size > limit && oldest !== undefined) found.delete(oldest);
    return value;
  };
}
