import type { Page } from "playwright-core";

/** Waits until a run's page says that its log has so many lines. */
export async function countReaches(page: Page, lines: number): Promise<void> {
  await page.getByText(`${lines.toLocaleString("en")} lines`, { exact: true }).waitFor();
}
