import type { Generated, GeneratedAlways } from "kysely";

/**
 * The tables, one code path for both engines: times are epoch milliseconds, truth is 0 or 1, JSON is text.
 * Rows are parsed where they are read, so a column's type here says how it is stored, not what it may contain.
 */
export interface Tables {
  receipt: ReceiptTable;
  receipt_journal: ReceiptJournalTable;
  repository: RepositoryTable;
  pull_request_head: PullRequestHeadTable;
  pull_request_pusher: PullRequestPusherTable;
  run: RunTable;
  attempt: AttemptTable;
  step: StepTable;
  log_chunk: LogChunkTable;
  file_reading: FileReadingTable;
  report: ReportTable;
  session: SessionTable;
  history: HistoryTable;
  approval: ApprovalTable;
  environment_lock: EnvironmentLockTable;
  secret: SecretTable;
  commit_context: CommitContextTable;
  callback: CallbackTable;
  comment: CommentTable;
  pushed_commit: PushedCommitTable;
  recovery: RecoveryTable;
  missed_delivery: MissedDeliveryTable;
  installation_pace: InstallationPaceTable;
  preview: PreviewTable;
  chat: ChatTable;
  chat_message: ChatMessageTable;
  chat_line: ChatLineTable;
  merge_candidate: MergeCandidateTable;
}

/** One arrival of a delivery. A GUID may arrive again on purpose, so it is no key. */
interface ReceiptTable {
  id: Generated<number>;
  guid: string;
  event: string;
  action: string | null;
  installation: number | null;
  repository: number | null;
  /** Receipts of one series are handled in their order: the repository, else the installation (negative), else 0. */
  series: GeneratedAlways<number>;
  /** `null` for events that nobody listens to: only the GUID is kept, so that recovery does not ask for them again. */
  body: string | null;
  received_at: number;
  state: "received" | "handled" | "ignored" | "failed";
  attempts: Generated<number>;
  not_before: Generated<number>;
  finished_at: number | null;
  error: string | null;
  /** The inbox that handles it, as long as its lease lasts. */
  owner: string | null;
  lease_until: Generated<number>;
}

/** One row. What the journal beside SQLite holds up to this number stands in `receipt`; PostgreSQL has no journal. */
interface ReceiptJournalTable {
  moved: number;
}

interface RepositoryTable {
  /** GitHub's numeric id, which outlives a rename or transfer. */
  id: number;
  installation: number;
  owner: string;
  name: string;
  default_branch: string;
  clone_url: string;
  private: number;
  /** 0 when the App was removed from it or suspended. */
  active: number;
  /** Rises with every change that may open or shut a deployment's gate; `done` follows when that was thought through. */
  reconsider_wanted: Generated<number>;
  reconsider_done: Generated<number>;
  /** Whether the default branch's file names a chat: its remainder by 4 is 0 for no (then what changes is no news to anybody), 1 for unknown, 2 for yes; the rest counts how often that branch has changed. */
  tells: Generated<number>;
}

/** Each person who pushed to a pull request. */
interface PullRequestPusherTable {
  repository: number;
  number: number;
  /** Login. */
  person: string;
}

/** What we last heard of a pull request. */
interface PullRequestHeadTable {
  repository: number;
  number: number;
  head_sha: string;
  /** The branch of the head. */
  head_ref: Generated<string>;
  base_ref: string;
  fork: number;
  state: "open" | "closed" | "merged";
  draft: Generated<number>;
  title: string;
  author: string;
  /** GitHub's `updated_at`, which tells an old event that arrives late. */
  updated_at: number;
  heard_at: number;
  /** When its head last moved, or it was last opened, by our own clock: previews grow old from then on. */
  active_at: Generated<number>;
  /** 1 while it is to be read what it changes in the repository's file. */
  edit_wanted: Generated<number>;
}

interface RunTable {
  id: Generated<number>;
  cause: string;
  kind: "check" | "deployment";
  repository: number;
  sha: string;
  /** The commit's tree, once the mirror has told it: equal trees need no second check. */
  tree: string | null;
  ref: string | null;
  pull_request: number | null;
  title: string | null;
  /** Login of who wrote the change. */
  author: string | null;
  /** Login of who set it off: opened, pushed, merged or asked. */
  person: string | null;
  name: string;
  /** The environment of the file, for a deployment to a preview of it. */
  preview: string | null;
  trust: "own" | "fork" | null;
  task: "deploy" | "rollback" | "teardown" | null;
  /** 1 for what nobody asked for by hand: one of these per commit and environment, ever. */
  automatic: number;
  lane: string | null;
  state: "waiting" | "queued" | "running" | "finished";
  version: Generated<number>;
  gates: string | null;
  /** The live run that the order was decided against; a claim refuses when another one is live by then. */
  judged_against: number | null;
  outcome: string | null;
  attempt: Generated<number>;
  remembered: string | null;
  configuration: string;
  github: number | null;
  created_at: number;
  not_before: Generated<number>;
  started_at: number | null;
  finished_at: number | null;
  owner: string | null;
  lease_until: number | null;
  stop: string | null;
}

interface AttemptTable {
  run: number;
  number: number;
  started_at: number;
  finished_at: number | null;
  outcome: string | null;
  /** The line of its log that first tells of an error; `null` while it runs, and when none does. */
  first_error: Generated<number | null>;
}

interface StepTable {
  run: number;
  attempt: number;
  number: number;
  name: string;
  started_at: number;
  finished_at: number | null;
  exit_code: number | null;
  first_line: number;
}

/** Never rewritten. */
interface LogChunkTable {
  run: number;
  attempt: number;
  seq: number;
  first_line: number;
  lines: number;
  bytes: Uint8Array;
  /** When its lines came, a quarter of a second at most before; `null` for those of an older version. */
  at: Generated<number | null>;
  /** The group (`▾ name`) that its first line stands in. */
  open_group: Generated<string | null>;
}

/** What reading a commit's repository file came to, where people must be told. */
interface FileReadingTable {
  repository: number;
  sha: string;
  reading: string;
  read_at: number;
}

/** What must be told to GitHub: `wanted` rises with every change of the subject, `sent` follows. */
interface ReportTable {
  subject: string;
  repository: number;
  wanted: number;
  sent: number;
  /** What was last said, so that the same is not said twice. */
  said: string | null;
  attempts: number;
  not_before: number;
  problem: string | null;
  /** The reporter that says it, as long as `not_before` is ahead. */
  holder: string | null;
  /** Follows `wanted` for chats, as `sent` does for GitHub. */
  told: Generated<number>;
}

/** A chat that a repository's file names: `SERVICE SECRET`. */
interface ChatTable {
  repository: number;
  chat: string;
  /** Nothing is sent earlier: it was down, or asked to wait. */
  not_before: Generated<number>;
  /** One server sends to it at a time. */
  held_until: Generated<number>;
  /** In a row. */
  failures: Generated<number>;
  problem: string | null;
  /** It refuses everything, until its secret is set anew after this moment. */
  broken_at: number | null;
}

/** What a chat is to show of a subject: `wanted` rises with every change of the news, `sent` follows. */
interface ChatMessageTable {
  repository: number;
  chat: string;
  subject: string;
  news: string;
  wanted: number;
  sent: Generated<number>;
  /** What a change of the message needs to know. */
  shown: string | null;
  wanted_at: number;
}

/** A pull request that may have to be merged: `wanted` rises with whatever may change that, `done` follows. */
interface MergeCandidateTable {
  repository: number;
  number: number;
  head_sha: string;
  wanted: number;
  done: Generated<number>;
  not_before: Generated<number>;
  /** One server thinks it through at a time. */
  held_until: Generated<number>;
  /** How often in a row it was looked at without news. */
  tries: Generated<number>;
  /** The head that GitHub was asked to merge. */
  asked_sha: string | null;
  /** Why it is not merged, as it was said last, and GitHub's id of the comment. */
  said: string | null;
  comment: number | null;
  created_at: number;
}

/** How a pull request, a branch or an environment stands: what is green after a red is a recovery. */
interface ChatLineTable {
  repository: number;
  line: string;
  /** Who set the mood, and how it was before that. */
  subject: string;
  /** The highest run of that subject; older ones change nothing. */
  newest: number;
  mood: "good" | "bad";
  before: "good" | "bad" | null;
}

/** A signed-in person; `id` is the hash of what the cookie holds. */
interface SessionTable {
  id: string;
  user_id: number;
  login: string;
  csrf: string;
  created_at: number;
  used_at: number;
}

/** Who did what, when and why. Only ever added to. */
interface HistoryTable {
  id: Generated<number>;
  at: number;
  repository: number;
  environment: string | null;
  run: number | null;
  person: string;
  door: "comment" | "check run" | "page" | "command line" | "server";
  deed: string;
  reason: string | null;
  details: string;
}

/** A person said yes to one commit for one purpose. */
interface ApprovalTable {
  repository: number;
  sha: string;
  /** `checks`, or `environment NAME`. */
  purpose: string;
  person_id: number;
  person: string;
  at: number;
}

interface EnvironmentLockTable {
  repository: number;
  environment: string;
  person: string;
  reason: string;
  at: number;
}

interface SecretTable {
  repository: number;
  /** Empty for a secret of the whole repository. */
  environment: string;
  name: string;
  sealed: Uint8Array;
  set_at: number;
}

/** The newest that others than we said of a commit: a status, or a check run. */
interface CommitContextTable {
  repository: number;
  sha: string;
  context: string;
  state: "passed" | "pending" | "failed";
  updated_at: number;
}

/** One address that another system may call once; only the hash of its token is kept. */
interface CallbackTable {
  token: string;
  run: number;
  attempt: number;
  body: string | null;
  created_at: number;
  arrived_at: number | null;
}

/** A comment that held commands: kept in the same transaction as what it set off, so that each is obeyed once. */
interface CommentTable {
  /** GitHub's. */
  id: number;
  repository: number;
  person_id: number;
  reaction: "rocket" | "confused" | "-1";
  /** What is to be answered; `null` when the reaction says it all. */
  answer: string | null;
  heard_at: number;
  answered_at: number | null;
}

/** What a push told of its head, so that GitHub need not be asked for the commit's message. */
interface PushedCommitTable {
  repository: number;
  sha: string;
  /** 1 when its message asks for no checks. */
  skip: number;
  heard_at: number;
}

/** One row: how far what GitHub says it delivered was compared with our receipts. */
interface RecoveryTable {
  id: number;
  /** The process that looks at this moment, as long as its lease lasts. */
  owner: string | null;
  lease_until: Generated<number>;
  /** When the last look ended well. */
  looked_at: number | null;
  /** By GitHub's clock: what was delivered before that has been compared. */
  compared_until: number | null;
  /** Why the last look did not end well. */
  problem: string | null;
}

/** What GitHub says it delivered, and never arrived; whether it did since tells `receipt`. */
interface MissedDeliveryTable {
  guid: string;
  /** GitHub's id of an attempt, which asking for another one takes; it may be beyond 2^53. */
  delivery: string;
  event: string;
  action: string | null;
  repository: number | null;
  /** By GitHub's clock. */
  delivered_at: number;
  found_at: number;
  /** How often GitHub took our wish to have it again. */
  asked: Generated<number>;
  not_before: Generated<number>;
  /** Why GitHub does not deliver it again. */
  problem: string | null;
}

/** What replicas know together of an installation's pace at GitHub. */
interface InstallationPaceTable {
  installation: number;
  /** When the bucket of turns will be full again. */
  next_at: number;
  paused_until: Generated<number>;
}

/** A preview that may be there in whatever way: from its first wish until it is known to be gone. */
interface PreviewTable {
  repository: number;
  /** As the deployments' environment is called: `preview-pr-12`. */
  environment: string;
  /** The environment of the file. */
  preview: string;
  pull_request: number;
  /** The first of the runs that it consists of. */
  since: number;
}
