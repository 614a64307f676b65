import { examineApp } from "./app.ts";
import { examineChats, examineDatabase, examineSecrets } from "./data.ts";
import { filesInUse } from "./files-in-use.ts";
import { type Finding, type Subject, wrong } from "./finding.ts";
import { examineDisk, examineGit, examineSandbox } from "./machine.ts";
import type { DoctorMeans } from "./means.ts";
import { examinePermissions } from "./permissions.ts";
import { examineSshHosts } from "./ssh-hosts.ts";
import { examineWebhook } from "./webhook.ts";

/** Looks at everything that the server leans on, and changes nothing. An examination that fails is a finding too. */
export async function examine(means: DoctorMeans, webhookPath: string): Promise<readonly Finding[]> {
  const { findings, app } = await examineApp(means);
  // Without GitHub's word on the App the rest of GitHub's answers would say the same again.
  const files = app === null ? [] : await filesInUse(means);
  const asked =
    app === null
      ? []
      : [
          ...(await guarded("permissions", () => examinePermissions(means, app, files))),
          ...(await guarded("webhook", () => examineWebhook(means, webhookPath))),
        ];
  return [
    ...findings,
    ...asked,
    ...(await guarded("sandbox", () => examineSandbox(means))),
    ...(await guarded("git", () => examineGit())),
    ...(await guarded("ssh hosts", () => examineSshHosts(means, files))),
    ...(await guarded("secrets", () => examineSecrets(means, files))),
    ...(await guarded("chats", () => examineChats(means))),
    ...(await guarded("disk", () => examineDisk(means))),
    ...(await guarded("database", () => examineDatabase(means))),
  ];
}

async function guarded(subject: Subject, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    const why = Error.isError(error) ? error.message : String(error);
    return [wrong(subject, `it cannot be examined: ${why}`, "mend that, and ask again")];
  }
}
