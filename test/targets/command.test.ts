import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { probeSandbox, type Sandbox } from "../../src/process/sandbox.ts";
import { command } from "../../src/targets/command.ts";
import type { DeployOrder } from "../../src/targets/target.ts";
import { keepsToTheContract, recordingIo } from "../contracts/deploy-target.ts";
import { orderIn } from "./order.ts";

const probe = await probeSandbox();
const sandbox: Sandbox = probe.works ? probe.sandbox : { kind: "none" };
const sandboxedOnly = probe.works ? it : it.skip;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newWorld() {
  const root = await realpath(await mkdtemp(join(tmpdir(), "signalbox-command-")));
  folders.push(root);
  const own = join(root, "data", "sites", "acme", "shop");
  const also = join(root, "srv");
  await mkdir(also);
  let made = 0;
  const order = async (files: Readonly<Record<string, string>>): Promise<DeployOrder> => {
    made += 1;
    const workspace = join(root, `run-${made}`, "workspace");
    await mkdir(workspace, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(workspace, name), text, { mode: 0o755 });
    return orderIn(root, {
      sha: "4be07d1000000000000000000000000000000000",
      workspace,
      sandbox,
      env: { CI: "true" },
      allowedPaths: [own, also],
      secret: async (name) => secrets[name] ?? null,
    });
  };
  return { root, own, also, order };
}

const secrets: Readonly<Record<string, string>> = { API_TOKEN: "s3cret-t0ken", OTHER_TOKEN: "0ther-t0ken" };

const script = `#!/bin/sh
echo "Deploying $(cat version)"
[ ! -e slow ] || sleep 60
cp version "$SIGNALBOX_SITES/live"
`;

describe("the target command", () => {
  keepsToTheContract(async () => {
    const { own, order } = await newWorld();
    return {
      target: command,
      options: {
        run: "./deploy.sh",
        secrets: ["API_TOKEN"],
        remove: { run: 'test -n "$API_TOKEN"; rm -f "$SIGNALBOX_SITES/live"' },
      },
      secret: secrets.API_TOKEN ?? "",
      order: (version, pace) => order({ version, "deploy.sh": script, ...(pace && { slow: "" }) }),
      live: () => readFile(join(own, "live"), "utf8").catch(() => null),
      refused: [
        { options: { run: " " }, says: /with\.run: is empty/ },
        { options: { run: "true\0" }, says: /with\.run: holds a NUL/ },
        {
          options: { run: "true", secrets: ["API_TOKEN", "NONE"] },
          says: /^the secret NONE is not set; set it with: bin\/signalbox secret set acme\/shop NONE --environment production$/,
        },
        { options: { run: "true", secrets: ["A B"] }, says: /with\.secrets\.0: must be the name of a secret/ },
        { options: { run: "true", secrets: ["PATH"] }, says: /with\.secrets\.0: is a variable that the command needs/ },
        { options: {}, says: /with\.run/ },
      ],
    };
  });

  it("names the command that failed and says that nobody knows what is live", async () => {
    const { order } = await newWorld();

    const deployed = await command.deploy(
      { run: "./deploy.sh" },
      await order({ "deploy.sh": "#!/bin/sh\nexit 3\n" }),
      recordingIo(),
    );

    expect(deployed).toEqual({ kind: "refused", reason: "./deploy.sh exited with 3", live: "unknown" });
  });

  it("ends at the first line that fails", async () => {
    const { order } = await newWorld();
    const io = recordingIo();

    const deployed = await command.deploy({ run: "echo one\nfalse\necho two" }, await order({}), io);

    expect(deployed).toMatchObject({ reason: "echo one … exited with 1" });
    expect(io.text()).toBe("one\n");
  });

  it("tells a command that was killed", async () => {
    const { order } = await newWorld();

    expect(await command.deploy({ run: "kill -9 $$" }, await order({}), recordingIo())).toEqual({
      kind: "refused",
      reason: "kill -9 $$ was killed by SIGKILL",
      live: "unknown",
    });
  });

  it("tells the command what it deploys, and obeys what the environment already says", async () => {
    const { own, order } = await newWorld();
    const io = recordingIo();
    const run = 'echo "$CI $SIGNALBOX_ENVIRONMENT $SIGNALBOX_SHA $SIGNALBOX_REPOSITORY $SIGNALBOX_SITES"';
    const asked = await order({});

    await command.deploy({ run }, { ...asked, env: { ...asked.env, SIGNALBOX_ENVIRONMENT: "blue" } }, io);

    expect(io.text()).toBe(`true blue 4be07d1000000000000000000000000000000000 acme/shop ${own}\n`);
  });

  it("hands the command the secrets that it names as variables, and no others", async () => {
    const { order } = await newWorld();
    const io = recordingIo();

    await command.deploy({ run: 'echo "$API_TOKEN $OTHER_TOKEN"', secrets: ["API_TOKEN"] }, await order({}), io);
    await command.deploy({ run: 'echo "$API_TOKEN $OTHER_TOKEN"' }, await order({}), io);

    expect(io.text()).toBe("s3cret-t0ken \n \n");
  });

  it("may write to the checkout, its HOME and every folder of its repository", async () => {
    const { own, also, order } = await newWorld();
    const run = `touch here "$HOME/there" "${own}/a" "${also}/b"`;

    expect(await command.deploy({ run }, await order({}), recordingIo())).toMatchObject({ kind: "live" });

    expect([await readdir(own), await readdir(also)]).toEqual([expect.arrayContaining(["a"]), ["b"]]);
  });

  sandboxedOnly(`may not write elsewhere${probe.works ? "" : " (skipped: bubblewrap does not work here)"}`, async () => {
    const { root, order } = await newWorld();

    await command.deploy({ run: `touch "${root}/elsewhere"` }, await order({}), recordingIo());

    expect(await readdir(root)).not.toContain("elsewhere");
  });
});
