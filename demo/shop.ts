import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const folder = join(import.meta.dirname, "shop");

/** The sample repository's files; its environments' addresses are those of the demo's site server. */
export function shopFiles(sites: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    paths.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), readFileSync(path, "utf8").replaceAll("SITES", sites)];
    }),
  );
}

/** A new article whose price was forgotten: a test of the shop's own turns red. */
export const withoutPrice = contentWith("Autumn at the shop", 0);
/** The same with its price. */
export const withPrice = contentWith("Autumn at the shop", 1250);
/** What the live site says once the fix is there. */
export const newText = "Autumn at the shop";

function contentWith(greeting: string, price: number): Record<string, string> {
  const content = readFileSync(join(folder, "src", "content.js"), "utf8")
    .replace("Welcome to the shop", greeting)
    .replace("];", `  { name: "Lantern", price: ${price} },\n];`);
  return { "src/content.js": content };
}
