import type { Past } from "../../../deeds/read-history.ts";
import type { Numbers } from "../../../deployments/numbers.ts";
import type { EnvironmentState } from "../environments.ts";
import type { House } from "../house.ts";
import { pathOf } from "../pages/layout.ts";
import { runJson } from "./run.ts";

export function environmentJson(house: House, state: EnvironmentState) {
  const { repository, name, url, branch, head, live, unfinished, lock, behind } = state;
  return {
    name,
    address: `${house.settings.publicUrl}${pathOf(repository)}/environments/${name}`,
    environment_url: url,
    branch,
    head,
    live: live === null ? null : runJson(house, repository, live),
    on_their_way: unfinished.map((run) => runJson(house, repository, run)),
    lock: lock === null ? null : { by: lock.by, reason: lock.reason, since: lock.since },
    not_deployed: behind?.commits.length ?? null,
  };
}

/** Every commit that is not live, with what holds it back; `null` when that is not known now. */
export function whyJson({ behind }: EnvironmentState) {
  if (behind === null) return null;
  return behind.commits.map(({ sha, title, author, committedAt, because, run, gates }) => ({
    sha,
    title,
    author,
    committed_at: committedAt,
    because,
    run: run?.id ?? null,
    gates: gates.map(({ gate, waitsFor, opens }) => ({ kind: gate.kind, waits_for: waitsFor, opens })),
  }));
}

/** Durations in seconds. */
export function numbersJson({ days, deployments, leadTime, duration, failureRate, timeToRecover }: Numbers) {
  const seconds = (milliseconds: number | null) => (milliseconds === null ? null : Math.round(milliseconds / 1_000));
  return {
    deployments,
    lead_time: seconds(leadTime),
    duration: seconds(duration),
    failure_rate: failureRate,
    time_to_recover: seconds(timeToRecover),
    days: days.map(({ start, passed, failed }) => ({ day: new Date(start).toISOString().slice(0, 10), passed, failed })),
  };
}

export function historyJson({ id, at, person, door, deed, environment, run, reason }: Past) {
  return { id, at, person, door, deed, environment, run, reason };
}
