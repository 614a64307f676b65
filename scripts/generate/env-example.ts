import { groups, type Setting } from "../../src/settings/table.ts";

/** The content of `.env.example`: every setting with its meaning and default, commented out, so that a copy changes nothing. */
export function envExample(): string {
  const parts = Object.entries(groups).map(([heading, group]) =>
    [`# ── ${heading}`, ...Object.entries(group).map(([name, setting]) => entry(name, setting))].join("\n\n"),
  );
  return `${[INTRODUCTION, ...parts].join("\n\n")}\n`;
}

const INTRODUCTION = `# Copy this file to .env and set what you need; the real environment wins over it.
# A secret can also come from a file: NAME_FILE holds its path.
# Generated from src/settings/table.ts by npm run generate.`;

function entry(name: string, setting: Setting): string {
  return `# ${setting.meaning}\n# ${name}=${setting.fallback ?? setting.example ?? ""}`;
}
