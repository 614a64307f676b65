import { describe, expect, it } from "@jest/globals";
import { freezeAt } from "../../src/deployments/freeze.ts";
import { fileOf } from "./world.ts";

/** The freezes of an environment whose file says so. */
function freezesOf(yaml: string) {
  return fileOf(`environments: { a: { target: command, with: { run: a }, freeze: ${yaml} } }`).environments.a?.freeze ?? [];
}

const friday = '[{ days: [fri], from: "16:00", to: "23:59", timezone: Europe/Berlin, reason: No Friday deploys }]';
const nights = '[{ from: "22:00", to: "06:00", timezone: Europe/Berlin }]';
const lateFriday = '[{ days: [fri], from: "22:00", to: "06:00" }]';
const weekend = '[{ days: [fri], from: "16:00" }, { days: [sat, sun] }]';

/** A moment, and when the freeze that holds then is over; `null`: none holds. */
const cases: readonly [title: string, freezes: string, now: string, until: string | null][] = [
  ["not before it begins", friday, "2026-11-27T14:59:59Z", null],
  ["from its first second", friday, "2026-11-27T15:00:00Z", "2026-11-27T23:00:00.000Z"],
  ["until the end of the day when the file says 23:59", friday, "2026-11-27T22:59:59Z", "2026-11-27T23:00:00.000Z"],
  ["not after it", friday, "2026-11-27T23:00:00Z", null],
  ["not on other days", friday, "2026-11-26T16:00:00Z", null],
  [
    "on the day of its own time zone",
    "[{ days: [sat], timezone: Pacific/Auckland }]",
    "2026-11-27T12:00:00Z",
    "2026-11-28T11:00:00.000Z",
  ],
  [
    "in a zone of half an hour",
    '[{ from: "09:00", to: "10:00", timezone: Asia/Kolkata }]',
    "2026-11-27T03:30:00Z",
    "2026-11-27T04:30:00.000Z",
  ],
  ["in a zone behind UTC", '[{ from: "20:00", timezone: America/New_York }]', "2026-11-28T01:00:00Z", "2026-11-28T05:00:00.000Z"],
  ["across midnight, before it", nights, "2026-11-27T21:30:00Z", "2026-11-28T05:00:00.000Z"],
  ["across midnight, after it", nights, "2026-11-28T04:59:59Z", "2026-11-28T05:00:00.000Z"],
  ["across midnight, in the morning of the day after its own", lateFriday, "2026-11-28T05:00:00Z", "2026-11-28T06:00:00.000Z"],
  ["across midnight, not in the morning of its own day", lateFriday, "2026-11-27T05:00:00Z", null],
  ["until the last of those that follow each other", weekend, "2026-11-27T16:00:00Z", "2026-11-30T00:00:00.000Z"],
  [
    "until the last of those that overlap",
    '[{ from: "10:00", to: "12:00" }, { from: "11:00", to: "13:00" }]',
    "2026-11-27T11:30:00Z",
    "2026-11-27T13:00:00.000Z",
  ],
  // https://www.timeanddate.com/time/change/germany/berlin: forward on 29 March 2026 at 01:00 UTC, back on 25 October 2026 at 01:00 UTC.
  ["a night that is an hour short", nights, "2026-03-28T21:00:00Z", "2026-03-29T04:00:00.000Z"],
  ["a night that is an hour longer", nights, "2026-10-24T20:00:00Z", "2026-10-25T05:00:00.000Z"],
  [
    "from the first of two times at which it begins",
    '[{ from: "02:30", to: "04:00", timezone: Europe/Berlin }]',
    "2026-10-25T00:30:00Z",
    "2026-10-25T03:00:00.000Z",
  ],
  [
    "until the second of two times at which it ends",
    '[{ from: "01:00", to: "02:30", timezone: Europe/Berlin }]',
    "2026-10-25T01:29:59Z",
    "2026-10-25T01:30:00.000Z",
  ],
  ["not after the second", '[{ from: "01:00", to: "02:30", timezone: Europe/Berlin }]', "2026-10-25T01:30:00Z", null],
  [
    "until after an hour that is skipped when it ends in it",
    '[{ from: "01:00", to: "02:30", timezone: Europe/Berlin }]',
    "2026-03-29T01:15:00Z",
    "2026-03-29T01:30:00.000Z",
  ],
  [
    "from before an hour that is skipped when it begins in it",
    '[{ from: "02:30", to: "04:00", timezone: Europe/Berlin }]',
    "2026-03-29T00:30:00Z",
    "2026-03-29T02:00:00.000Z",
  ],
  [
    "a day of 25 hours to its end",
    "[{ days: [sun], timezone: Europe/Berlin }]",
    "2026-10-24T22:00:00Z",
    "2026-10-25T23:00:00.000Z",
  ],
  [
    "a day of 23 hours to its end",
    "[{ days: [sun], timezone: Europe/Berlin }]",
    "2026-03-28T23:00:00Z",
    "2026-03-29T22:00:00.000Z",
  ],
];

describe("a freeze holds", () => {
  it.each(cases)("%s: %s at %s", (_title, freezes, now, until) => {
    expect(freezeAt(freezesOf(freezes), new Date(now))?.until?.toISOString() ?? null).toBe(until);
  });

  it("with the reason and the time zone of the one that ends last", () => {
    const both = '[{ from: "10:00", to: "12:00", reason: Lunch }, { from: "10:00", to: "13:00", timezone: UTC, reason: Party }]';
    expect(freezeAt(freezesOf(both), new Date("2026-11-27T11:00:00Z"))?.freeze).toMatchObject({
      reason: "Party",
      timezone: "UTC",
    });
  });

  it("without an end where each begins with the end of another", () => {
    const always = "[{ days: [sun, mon, tue, wed] }, { days: [thu, fri, sat] }]";
    expect(freezeAt(freezesOf(always), new Date("2026-11-27T11:00:00Z"))).toMatchObject({ until: null });
  });
});
