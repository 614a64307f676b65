import { expect, it } from "@jest/globals";
import { diagnose } from "../../src/process/diagnosis.ts";

const healthy = { appArmorRestricts: false, namespacesSwitchedOff: false, namespacesAllowed: 15_000, container: false };
const said = "prlimit: something\nbwrap: setting up uid map: Permission denied\n";

it.each([
  ["AppArmor", { appArmorRestricts: true }, "AppArmor", "/etc/apparmor.d/bwrap"],
  ["Debian's switch", { namespacesSwitchedOff: true }, "user namespaces for root", "kernel.unprivileged_userns_clone=1"],
  ["the number of namespaces", { namespacesAllowed: 0 }, "no user namespaces", "user.max_user_namespaces"],
  ["a container", { container: true, appArmorRestricts: true }, "container", "--security-opt seccomp=unconfined"],
  ["something else", {}, "bubblewrap does not work", "as the server's user"],
])(
  "a sandbox that does not work because of %s is explained with bubblewrap's own words and a way out",
  (_, machine, problem, fix) => {
    const diagnosis = diagnose(said, { ...healthy, ...machine });
    expect(diagnosis.problem).toContain(problem);
    expect(diagnosis.problem).toContain("(bwrap: setting up uid map: Permission denied)");
    expect(diagnosis.fix).toContain(fix);
  },
);
