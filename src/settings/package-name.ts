import { Wrong } from "./values.ts";

/** The name of an npm package. https://docs.npmjs.com/cli/configuring-npm/package-json#name */
export function packageName(text: string): string {
  if (text.length <= 214 && /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(text)) return text;
  throw new Wrong(`"${text}" is not the name of an npm package; write it as it stands in its package.json`);
}
