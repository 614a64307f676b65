import { expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { complaintsOf } from "../../support/axe.ts";
import { withChromium } from "../../support/in-chromium.ts";
import { useDashboards } from "./dashboard.ts";
import { aCheck, type CheckAtWork } from "./runs.ts";

withChromium("the log of a run, in a browser", (open) => {
  const dashboards = useDashboards();

  async function logWith(...lines: readonly string[]): Promise<{ readonly page: Page; readonly run: CheckAtWork }> {
    const dashboard = await dashboards();
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.print(...lines);
    const page = await open();
    await page.goto(`${dashboard.url}/acme/shop/runs/${run.id}`);
    await page.locator('[data-part="pulse"][data-state="live"]').waitFor();
    return { page, run };
  }

  const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}.`);
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  /** The texts of the lines that are to be seen. */
  const seen = (page: Page) => page.locator(".line:visible > span").allTextContents();

  const isInSight = (page: Page, number: number) =>
    page.evaluate<boolean>(`(() => {
      const [line, log] = [document.getElementById("L${number}"), document.querySelector('[data-part="lines"]')]
        .map((element) => element.getBoundingClientRect());
      return line.top >= log.top && line.bottom <= log.bottom;
    })()`);

  it("folds a group and all groups, also lines that come later, and opens the one that a search leads into", async () => {
    const { page, run } = await logWith("begin", "▾ install", "left-pad", "▴ install", "between", "▾ test", "the needle");
    const install = button(page, "install");
    expect(await install.getAttribute("aria-expanded")).toBe("true");
    await install.focus();
    await page.keyboard.press("Enter");
    expect(await install.getAttribute("aria-expanded")).toBe("false");
    expect(await seen(page)).toEqual(["begin", "install", "between", "test", "the needle"]);
    await install.click();
    expect(await seen(page)).toContain("left-pad");

    await button(page, "Fold groups").click();
    await run.print("more of the test", "▴ test", "end");
    await page.getByText("end", { exact: true }).waitFor();
    expect(await seen(page)).toEqual(["begin", "install", "between", "test", "end"]);
    expect(await complaintsOf(page)).toEqual([]);

    await page.getByRole("searchbox").fill("needle");
    await page.locator(".line.marked").getByText("the needle").waitFor();
    expect(await seen(page)).toEqual(["begin", "install", "between", "test", "the needle", "more of the test", "▴ test", "end"]);
    await page.reload();
    expect(await button(page, "Fold groups").getAttribute("aria-pressed")).toBe("true");
    expect(await seen(page)).toEqual(["begin", "install", "between", "test", "end"]);
  });

  it("shows when each line was printed, and remembers that somebody wants to know", async () => {
    const { page, run } = await logWith("one", "two");
    const time = async (number: number) =>
      page.evaluate<string>(`getComputedStyle(document.getElementById("L${number}"), "::before").content`);
    expect(await time(1)).toBe("none");
    await button(page, "Times").click();
    expect(await time(1)).toMatch(/\d+:00:00/);
    await run.print("three");
    await page.getByText("three", { exact: true }).waitFor();
    expect(await time(3)).toMatch(/\d+:00:00/);
    await page.reload();
    expect(await button(page, "Times").getAttribute("aria-pressed")).toBe("true");
    expect(await time(2)).toMatch(/\d+:00:00/);
    await button(page, "Times").click();
    expect(await time(2)).toBe("none");
  });

  it("searches lines that are not on the page, goes from one to the next and back, and ends the search", async () => {
    const { page } = await logWith(...lines(1, 2_000), "The Needle", ...lines(2_002, 4_000));
    const output = page.getByRole("search").locator("output");
    const marked = page.locator(".line.marked");
    await page.keyboard.press("/");
    await page.keyboard.type("line 7.");
    await marked.getByText("line 7.", { exact: true }).waitFor();
    expect(await output.textContent()).toBe("1 of 1");
    expect(await isInSight(page, 7)).toBe(true);

    await page.getByRole("searchbox").fill("line 199");
    await output.getByText("1 of 11").waitFor();
    for (const [key, at, line] of [
      ["Enter", 2, "line 1990."],
      ["Enter", 3, "line 1991."],
      ["Shift+Enter", 2, "line 1990."],
      ["Shift+Enter", 1, "line 199."],
      ["Shift+Enter", 11, "line 1999."],
    ] as const) {
      await page.keyboard.press(key);
      await marked.getByText(line, { exact: true }).waitFor();
      expect(await output.textContent()).toBe(`${at} of 11`);
    }
    await page.getByRole("searchbox").fill("needle");
    await marked.getByText("The Needle").waitFor();
    await page.getByRole("searchbox").fill("NEEDLE");
    await page.getByText("Not found").waitFor();
    await page.keyboard.press("Escape");
    expect([await output.textContent(), await marked.count(), await page.getByRole("searchbox").inputValue()]).toEqual([
      "",
      0,
      "",
    ]);
  });

  it("shows whatever is printed as text, before the page is opened and while it is", async () => {
    const hostile = [`<img src=x onerror="globalThis.broken = 1">`, "</span></div><script>globalThis.broken = 1</script>"];
    const { page, run } = await logWith(...hostile, `▾ ${hostile[0]}`);
    await run.print(
      ...hostile,
      `\u001b[31m${hostile[0]}\u001b]8;;javascript:globalThis.broken=1\u0007here\u001b]8;;\u0007`,
      "the end",
    );
    await page.getByText("the end", { exact: true }).waitFor();
    const shown = await page.locator(".line > span").allTextContents();
    expect(shown).toEqual([...hostile, hostile[0], ...hostile, `${hostile[0]}here`, "the end"]);
    expect(await page.locator(".line > span *:not(span, button.fold)").count()).toBe(0);
    expect(await page.evaluate("globalThis.broken")).toBeUndefined();
  });
});
