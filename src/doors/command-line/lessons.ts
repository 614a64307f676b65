const doors = `It is the same deed as the comment on a pull request, with the same history (door "command line"). A running server sees
it within a few seconds; without one it waits for the next start. Without --as you act as the operator, under your name on
this system, and no permission is asked for. With --as LOGIN it is that person's deed: GitHub is asked what they may do, and
the history keeps who typed it.`;

/** What `signalbox COMMAND --help` teaches. */
export const lessons: Readonly<Record<string, string>> = {
  doctor: `signalbox doctor [--json]

Looks at everything that the server leans on, beside a running server or without one, and changes nothing: the App's
credentials and this machine's clock, permissions and events against what the files in use need, the webhook's address
and its last deliveries, the sandbox, git, the host keys of ssh servers, secrets and chats that files name, disk and
database. Each finding is fine (✓), doubtful (!) or wrong (✗), and says how to mend it.

  signalbox doctor
  signalbox doctor --json | jq '.[] | select(.state != "fine")'

Exit codes: 0 nothing is wrong, though some may be doubtful; 1 something is wrong; 2 the words were not understood.`,
  deploy: `signalbox deploy OWNER/REPO ENVIRONMENT [SHA] [--override "reason"] [--as LOGIN]

Deploys the head of the environment's branch, or a commit of that branch. It passes through the same gates as a merge:
checks, approvals, freeze, lock, the environment before. --override breaks the glass: approval, freeze and checks do not
hold it back, a lock and the environment before still do; the reason is kept in the history.

  signalbox deploy acme/shop production
  signalbox deploy acme/shop production 4be07d1 --override "checkout is down, tests are flaky"

${doors}`,
  rollback: `signalbox rollback OWNER/REPO ENVIRONMENT [SHA] [REASON] [--as LOGIN]

Puts back the release that was live before, or the newest one of a commit that was live; it waits for no gate but the
deployment that runs there now. The environment is locked until somebody unlocks it, so that the next merge does not
undo it. It works while GitHub does not answer. Called again it goes one release further back.

  signalbox rollback acme/shop production
  signalbox rollback acme/shop production 4be07d1 checkout is broken

${doors}`,
  lock: `signalbox lock OWNER/REPO ENVIRONMENT REASON [--as LOGIN]

Nothing starts in the environment but a rollback, until somebody unlocks it; what runs there goes on. Everybody who waits
reads the reason. It works while GitHub does not answer.

  signalbox lock acme/shop production the database is being moved

${doors}`,
  unlock: `signalbox unlock OWNER/REPO ENVIRONMENT [--as LOGIN]

Takes the lock away, whoever set it; what waited for it goes on.

${doors}`,
  approve: `signalbox approve OWNER/REPO ENVIRONMENT SHA --as LOGIN
signalbox approve OWNER/REPO PULL_REQUEST SHA

The first is a person's yes to one commit that waits for an environment. It must be one of those whom the file lets approve,
and none who wrote, pushed, merged or asked for the commit; GitHub is asked who LOGIN is and what they may do.
The second lets the checks of a fork's commit run: of this commit and no later one.

  signalbox approve acme/shop production 4be07d1 --as octocat
  signalbox approve acme/shop 12 4be07d1

${doors}`,
  cancel: `signalbox cancel OWNER/REPO ENVIRONMENT [REASON] [--as LOGIN]
signalbox cancel OWNER/REPO PULL_REQUEST [REASON]

Stops what is on its way to an environment, or what a pull request has under way. What has not started ends at once; what
runs is asked to stop, and keeps its place until it has stopped.

${doors}`,
  why: `signalbox why OWNER/REPO ENVIRONMENT [--json]

What is live there, what is on its way with each gate that holds it back and what would open it, and for each commit of the
environment's branch that is newer than what is live, why it is not. A required context that nobody reports is named with
how long it has been waited for. Nothing is changed. --json prints the same for machines.

  signalbox why acme/shop production`,
};
