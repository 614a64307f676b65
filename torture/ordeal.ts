import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type GitHubStandIn, startGitHub } from "../demo/github/github.ts";
import { type Database, openDatabase } from "../src/database/connection.ts";
import { webhookPath } from "../src/doors/http.ts";
import { postgresIsMissing, startPostgres } from "../test/support/postgres.ts";
import { type Front, startFront } from "./front.ts";
import { beginLife, type Life } from "./life.ts";
import { descendantsWith, stillThere } from "./processes.ts";
import { type Random, randomFrom } from "./random.ts";
import { environmentOf, type Replica, replica } from "./replica.ts";
import { untruths } from "./truth.ts";

export interface OrdealOptions {
  readonly engine: "sqlite" | "postgres";
  readonly kills: number;
  readonly seed: number;
  /** Called after each kill, for people who wait. */
  readonly say: (line: string) => void;
}

/** What came of it; all but the first group must be nothing. */
export interface Report {
  readonly engine: "sqlite" | "postgres";
  readonly seed: number;
  readonly kills: number;
  readonly deliveries: number;
  readonly executions: number;
  readonly lost: number;
  readonly twice: number;
  readonly together: number;
  readonly orphans: number;
  readonly untrue: number;
  /** Kills after which GitHub did not show the truth within two minutes either. */
  readonly never: number;
  /** Seconds from the last start to the moment when all that GitHub showed was true; the longest. */
  readonly slowest: number;
  /** What was wrong, to look into. */
  readonly faults: readonly string[];
}

/** How long all that GitHub shows may be untrue after a start, in milliseconds. */
const patience = 30_000;
const hopeless = 120_000;

/** Kills servers at random moments of a busy life, and looks after each kill whether anything was lost, done twice or left behind. */
export async function undergo(options: OrdealOptions): Promise<Report> {
  const { engine, kills, seed, say } = options;
  const random = randomFrom(seed);
  const folder = await mkdtemp(join(tmpdir(), "signalbox-torture-"));
  const closers: (() => Promise<void> | void)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const stage = await setUp(options, folder, closers);
    const counts = { lost: 0, twice: 0, together: 0, orphans: 0, untrue: 0 };
    const faults: string[] = [];
    let [slowest, never] = [0, 0];
    for (let kill = 1; kill <= kills; kill += 1) {
      const orphans = await liveAndDie(stage, random);
      const found = await judge(stage, orphans);
      slowest = Math.max(slowest, found.seconds);
      never += Number(found.seconds * 1_000 >= hopeless);
      for (const name of ["lost", "twice", "together", "orphans", "untrue"] as const) {
        counts[name] += found[name].length;
        for (const fault of found[name]) say(`  ${name}: ${fault}`);
        faults.push(...found[name].map((fault) => `kill ${kill}: ${fault}`));
      }
      say(
        `${engine} seed ${seed} kill ${kill}/${kills}: true after ${found.seconds.toFixed(1)} s${faults.length > 0 ? `, ${faults.length} faults` : ""}`,
      );
    }
    const executions = (await linesOf(stage.shared, "executed")).length;
    return { engine, seed, kills, deliveries: acknowledged(stage.github).size, executions, ...counts, never, slowest, faults };
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

interface Stage {
  readonly github: GitHubStandIn;
  readonly front: Front;
  readonly life: Life;
  readonly database: Database;
  readonly replicas: readonly Replica[];
  readonly shared: string;
  readonly marker: string;
}

async function setUp({ engine, seed }: OrdealOptions, folder: string, closers: (() => Promise<void> | void)[]): Promise<Stage> {
  const shared = join(folder, "shared");
  await mkdir(shared);
  const github = await startGitHub();
  closers.push(() => github.close());
  const front = await startFront();
  closers.push(() => front.close());
  const url = engine === "postgres" ? await newPostgres(closers) : null;
  const common = await environmentOf(github);
  const env = (name: string) => ({
    ...common,
    DEPLOY_PATHS: `acme/*=${shared}`,
    DATA_DIR: join(folder, name),
    ...(url === null ? {} : { DATABASE_URL: url }),
  });
  const replicas =
    engine === "sqlite"
      ? [replica("all", env("server"))]
      : [
          replica("web", env("web-1")),
          replica("web", env("web-2")),
          replica("worker", env("worker-1")),
          replica("worker", env("worker-2")),
        ];
  closers.push(async () => void (await Promise.all(replicas.map((one) => one.kill()))));
  await Promise.all(replicas.map((one) => one.start()));
  front.to(replicas.flatMap((one) => (one.role === "worker" || one.url === null ? [] : [one.url])));
  github.webhooksTo(`${front.url}${webhookPath}`);
  const database = await openDatabase({ url, folder: join(folder, "server") });
  closers.push(() => database.close());
  const marker = `torture-${process.pid}-${seed}`;
  const life = await beginLife(github, randomFrom(seed + 1), shared, marker);
  return { github, front, life, database, replicas, shared, marker };
}

async function newPostgres(closers: (() => Promise<void> | void)[]): Promise<string> {
  const missing = postgresIsMissing();
  if (missing !== null) throw new Error(missing);
  const server = await startPostgres();
  closers.push(() => server.stop());
  return server.createDatabase();
}

/** Goes on with life for a while, kills one server in the middle of it, and starts it again. Returns what the dead one left running. */
async function liveAndDie({ github, front, life, replicas, marker }: Stage, random: Random): Promise<readonly number[]> {
  const [victim] = [random.pick(replicas)];
  if (victim === undefined) throw new Error("there is nobody to kill");
  let isAlive = true;
  const living = (async () => {
    while (isAlive) {
      await life.act();
      // No more than GitHub lets one installation be told within our patience, at a second between two writes.
      await delay(random.below(600));
    }
  })();
  await delay(100 + random.below(2_500));
  const before = victim.pid === null ? [] : await descendantsWith(marker, [victim.pid]);
  await victim.kill();
  isAlive = false;
  await living;
  await github.idle();
  github.endFaults();
  // What could not be delivered meanwhile is old enough to be missed.
  github.advance(2 * 60_000);
  await victim.start();
  front.to(replicas.flatMap((one) => (one.role === "worker" || one.url === null ? [] : [one.url])));
  return stillThere(marker, before);
}

interface Found extends Readonly<Record<"lost" | "twice" | "together" | "orphans" | "untrue", readonly string[]>> {
  readonly seconds: number;
}

async function judge(stage: Stage, orphans: readonly number[]): Promise<Found> {
  const since = performance.now();
  let wrong: readonly string[] = ["nothing was looked at"];
  let late: readonly string[] = [];
  while (wrong.length > 0 && performance.now() - since < hopeless) {
    wrong = [
      ...(await lostOf(stage)).map((guid) => `${guid} is not there yet`),
      ...(await untruths(stage.database, stage.life.repository)),
    ];
    if (wrong.length > 0) await delay(200);
    if (late.length === 0 && performance.now() - since > patience) late = wrong;
  }
  return {
    seconds: (performance.now() - since) / 1_000,
    lost: (await lostOf(stage)).map((guid) => `the delivery ${guid} was acknowledged and is lost`),
    twice: await executedTwice(stage),
    together: (await linesOf(stage.shared, "overlaps")).map((environment) => `two deployments worked in ${environment} at once`),
    orphans: orphans.map((pid) => `process ${pid} of a dead server lives`),
    untrue: late,
  };
}

/** Deliveries that we acknowledged and of which there is no receipt. */
async function lostOf({ github, database }: Stage): Promise<readonly string[]> {
  const rows = await database.read((db) => db.selectFrom("receipt").select("guid").execute());
  const there = new Set(rows.map(({ guid }) => guid));
  return [...acknowledged(github)].filter((guid) => !there.has(guid));
}

function acknowledged(github: GitHubStandIn): ReadonlySet<string> {
  return new Set(github.deliveries().flatMap(({ guid, statusCode }) => (statusCode === 202 ? [guid] : [])));
}

/** A commit is deployed to an environment as often as there are deployments of it, and no more. */
async function executedTwice({ database, shared }: Stage): Promise<readonly string[]> {
  const executed = Map.groupBy(await linesOf(shared, "executed"), (line) => line);
  const runs = await database.read((db) =>
    db.selectFrom("run").select(["sha", "name"]).where("kind", "=", "deployment").where("attempt", ">", 0).execute(),
  );
  const wanted = Map.groupBy(runs, ({ sha, name }) => `${sha} ${name}`);
  return [...executed].flatMap(([line, times]) => {
    const most = wanted.get(line)?.length ?? 0;
    return times.length > most ? [`${line} was executed ${times.length} times for ${most} deployments`] : [];
  });
}

async function linesOf(shared: string, file: string): Promise<readonly string[]> {
  const text = await readFile(join(shared, file), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}
