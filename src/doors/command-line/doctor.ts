import { examine } from "../../doctor/examine.ts";
import type { Finding } from "../../doctor/finding.ts";
import { webhookPath } from "../http.ts";
import { askingBeside } from "./asking.ts";
import { besideServer } from "./beside-server.ts";

/** `doctor [--json]`: everything that the server leans on, with the fix of what is wrong. Gives 1 when something is, 0 otherwise. */
export async function doctor(asJson: boolean): Promise<number> {
  const findings = await besideServer(async (beside) => {
    const { github, loadFile } = await askingBeside(beside);
    return examine({ ...beside, github, loadFile }, webhookPath);
  });
  console.log(asJson ? JSON.stringify(findings, null, 2) : findings.map(inWords).join("\n"));
  const isWrong = findings.some(({ state }) => state === "wrong");
  if (!asJson) console.log(`\n${summary(findings)}`);
  return isWrong ? 1 : 0;
}

const signs = { fine: "✓", doubtful: "!", wrong: "✗" } as const;

function inWords({ subject, state, what, fix }: Finding): string {
  return `${signs[state]} ${subject}: ${what}${fix === null ? "" : `\n    → ${fix}`}`;
}

function summary(findings: readonly Finding[]): string {
  const [wrong, doubtful] = (["wrong", "doubtful"] as const).map((kind) => findings.filter(({ state }) => state === kind).length);
  if (wrong === 0 && doubtful === 0) return "All is well.";
  return `${wrong} wrong, ${doubtful} doubtful.`;
}
