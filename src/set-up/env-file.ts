import { appendFileSync, chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** Adds settings to the end of the folder's `.env`, where they win over earlier lines, and makes it readable to its owner only. */
export function addToEnvFile(folder: string, settings: Readonly<Record<string, string>>): void {
  const path = join(folder, ".env");
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quoted(value)}\n`);
  const addition = `${before === "" || before.endsWith("\n") ? "" : "\n"}${lines.join("")}`;
  const after = parseEnv(before + addition);
  for (const [name, value] of Object.entries(settings)) {
    if (after[name] !== value)
      throw new Error(`${name} cannot be written to ${path} so that it is read back; set it in the environment`);
  }
  // Before anything secret is in it.
  if (existsSync(path)) chmodSync(path, 0o600);
  appendFileSync(path, addition, { mode: 0o600 });
}

/** Node's `parseEnv` takes a text between any of these marks as it is, line breaks too, and knows no way to write the mark itself. */
function quoted(value: string): string {
  const mark = ["'", '"', "`"].find((quote) => !value.includes(quote)) ?? "'";
  return `${mark}${value}${mark}`;
}
