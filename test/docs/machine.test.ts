import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { appendFile, chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import { webhookPath } from "../../src/doors/http.ts";
import { canRunDocker, dockerSkipped, startDocker } from "../support/docker.ts";
import { freePort } from "../support/free-port.ts";
import { deploymentBecomes, environmentFor, statusBecomes } from "../support/journey.ts";
import { bootMachine, bootSkipped, canBoot, type Machine } from "../support/machine.ts";
import { until } from "../support/until.ts";
import { home, shell } from "./blocks.ts";

const rest = new Set(shell.filter(({ kind }) => kind === "sh root").map(({ text }) => text));

/** The one block that has these words; whoever takes it carries it out. */
function block(words: string): string {
  const [found, ...others] = [...rest].filter((text) => text.includes(words));
  if (found === undefined || others.length > 0) throw new Error(`Not one block has "${words}" any more`);
  rest.delete(found);
  return found;
}

(canBoot ? describe : describe.skip)(`what the guides change on a machine, done there${bootSkipped}`, () => {
  let machine: Machine;
  let github: GitHubStandIn;
  let folder = "";
  let port = 0;
  let relay: Server | null = null;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "signalbox-origin-"));
    publish("As it stands");
    github = await startGitHub();
    port = await freePort();
    machine = await bootMachine([folder]);
    await chmod(folder, 0o755);
    await machine.run(`
      systemctl start dbus.socket
      git config --system url.${folder}.insteadOf https://github.com/YOU/signalbox
      git config --system --add safe.directory ${folder}
      echo 'APT::Get::Assume-Yes "true";' > /etc/apt/apt.conf.d/99-as-if-asked
      printf 'prefer-offline=true\\naudit=false\\nfund=false\\n' >> .npmrc`);
  }, 120_000);
  afterAll(async () => {
    await machine?.stop();
    relay?.close();
    await github?.close();
    await rm(folder, { recursive: true });
  });

  /** Makes a commit of the files here, whether they are in one already or not. */
  function publish(message: string): void {
    const git = (...words: string[]) => {
      const identity = ["-c", "user.name=Mira", "-c", "user.email=mira@example.com"];
      const { status, stderr } = spawnSync("git", [...identity, `--git-dir=${folder}`, ...words], { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
    };
    git("init", "--quiet", "--initial-branch=main");
    git(`--work-tree=${home}`, "add", "--all");
    git(`--work-tree=${home}`, "commit", "--quiet", "--allow-empty", `--message=${message}`);
  }

  /** Carries out a block line by line, as a reader does, who fills in a file of settings when he is told to. */
  async function follow(text: string, settings: Readonly<Record<string, string>> = {}, cwd = "/root"): Promise<void> {
    const filled = asFile(settings).replaceAll("\n", "\\n");
    const whole = text.replace(/(\S+)\s+# then fill it in.*/g, (_all, file) => `${file}\nprintf '${filled}' >> ${file}`);
    await machine.run(whole, cwd);
  }

  function settings(env: Readonly<Record<string, string>> = {}) {
    return environmentFor(github, { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, ...env });
  }

  it("installs what the server needs", async () => {
    await follow(block("apt install"));
  }, 120_000);

  it("is cloned into a folder of its user's", async () => {
    await machine.run("useradd --create-home mira");
    await follow(block("cd signalbox").replace(/^/, "su mira --login --command '").replace(/\n*$/, " && test -f app.yml'"));
  });

  it("runs as a service that its user and a sandbox enclose", async () => {
    await follow(block("useradd"), settings());
    github.webhooksTo(`http://127.0.0.1:${port}${webhookPath}`);
    await until("the service is ready", isReady);

    // Of all that is the server's it sees what its own commits lie in.
    await release("shop", 'test ! -e /etc/signalbox.env && test ! -e /opt && test "$(ls /var/lib/signalbox)" = mirrors');
    const live = join(machine.root, "var/lib/signalbox/sites/acme/shop/staging/current/index.html");
    expect(await readFile(live, "utf8")).toBe("new");
  }, 240_000);

  it("tells what is wrong with the service", async () => {
    const said = await machine.run(`${block("systemd-run").trim()} || [ $? = 1 ]`);
    expect(said).toMatch(/^✓ app: /m);
    expect(said).toMatch(/^✓ sandbox: bubblewrap/m);
    expect(said).toMatch(/^✓ database: SQLite in \/var\/lib\/signalbox is whole$/m);
  }, 60_000);

  it("is upgraded, and ready again", async () => {
    publish("The next release");
    const before = await machine.run("systemctl show --property=MainPID signalbox; git -C /opt/signalbox rev-parse HEAD");
    await follow(block("git pull"));
    await until("the service is ready", isReady);
    const after = await machine.run("systemctl show --property=MainPID signalbox; git -C /opt/signalbox rev-parse HEAD");
    expect(before.split("\n").filter((line) => after.includes(line) && line !== "")).toEqual([]);
    expect(await machine.run("systemctl show --property=Result --property=NRestarts signalbox")).toBe(
      "Result=success\nNRestarts=0\n",
    );
  }, 120_000);

  it("takes a target that is a package of its own", async () => {
    await machine.run("systemctl stop signalbox; printf 'omit=dev\\n' >> .npmrc");
    await appendFile(`${machine.root}/opt/signalbox/.env`, asFile(settings({ DATA_DIR: "/root/data" })));
    const [install, choose, start] = block("PLUGINS=").trim().split("\n");
    await follow(`${install}\n${choose}`, {}, "/opt/signalbox");

    const server = machine.start(start ?? "", "/opt/signalbox");
    const ended = once(server, "exit");
    await until("the server is ready", isReady);
    const file = "environments: { docs: { trigger: merge, target: webdav, with: { url: nowhere } } }";
    const says = await machine.run(`echo '${file}' > webdav.yml; /opt/signalbox/bin/signalbox config check webdav.yml || true`);
    expect(says).toContain("environments.docs.with.url");
    await machine.run("pkill -f '[s]ignalbox start'");
    await ended;
  }, 120_000);

  (canRunDocker ? it : it.skip)(
    `runs in Docker, with a sandbox and PostgreSQL${dockerSkipped}`,
    async () => {
      const here = "/opt/signalbox/packaging/docker";
      const docker = await startDocker(machine);
      // What systemd's udev does to the device on a machine of one's own.
      await machine.run("chmod 666 /dev/net/tun");
      // No network is translated to another's here: building uses the machine's own.
      await machine.run(`echo 'services: { signalbox: { build: { network: host } } }' > ${here}/compose.override.yml`);
      if (!existsSync("/sys/kernel/security/apparmor")) await machine.run(`sed -i /apparmor=signalbox/d ${here}/compose.yml`);
      const lines = block("docker compose up").replace("--replace --write-cache", "--skip-kernel-load --skip-cache");
      const [up = "", exec = ""] = lines.split(/^(?=docker compose exec)/m);
      const { DASHBOARD_AUTH: _, HOST: __, PORT: ___, ...others } = settings({ PUBLIC_URL: "http://127.0.0.1:3000" });
      try {
        await follow(up, others, "/opt/signalbox");
        await answerInside("docker-signalbox-1");
        github.webhooksTo(`http://127.0.0.1:3000${webhookPath}`);
        const doctor = exec.trim().replace("exec", "exec --no-TTY");
        // On a busy machine Docker's exec has ended with nothing said.
        const said = await until("the doctor has looked at all", async () => {
          const text = await machine.run(`${doctor} 2>&1 || true`, here);
          return text.includes(" database: ") && text;
        });
        expect(said).toMatch(/^✓ app: /m);
        expect(said).toMatch(/^✓ sandbox: bubblewrap/m);
        expect(said).not.toMatch(/^. sandbox: checks share/m);
        expect(said).toMatch(/^✓ database: PostgreSQL/m);

        await release("in-docker", 'test ! -e /app && test ! -e /run/secrets && test "$(ls /data)" = mirrors');
        const page = "/data/sites/acme/in-docker/staging/current/index.html";
        expect(await machine.run(`docker compose exec --no-TTY signalbox cat ${page}`, here)).toBe("new");
      } catch (error) {
        throw new Error(await machine.run("docker compose logs 2>&1", here), { cause: error });
      } finally {
        await machine.run("docker compose down --volumes", here);
        await docker.stop();
      }
    },
    240_000,
  );

  it("leaves out no block of the guides", () => {
    if (!canRunDocker) block("docker compose up");
    expect([...rest]).toEqual([]);
  });

  /** A pull request whose check runs this passes, is merged and goes live as a page that says "new". */
  async function release(name: string, run: string): Promise<void> {
    const file = [
      `checks: { test: { run: '${run}' } }`,
      "environments: { staging: { trigger: merge, target: directory, with: { path: staging, from: site } } }",
    ].join("\n");
    const shop = await github.repository({
      owner: "acme",
      name,
      files: { ".github/signalbox.yml": file, "site/index.html": "old" },
      permissions: { mira: "write" },
    });
    const files = { "site/index.html": "new" };
    const sha = await shop.commit({ branch: "autumn", from: "main", files, message: "Autumn", author: "mira" });
    const pull = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, sha, "signalbox/test", "success");
    await shop.merge(pull);
    await deploymentBecomes(shop, "staging", "success");
  }

  /** In a container the loopback is its own: the stand-in answers there too, for as long as the machine runs. */
  async function answerInside(container: string): Promise<void> {
    const [socket, address] = ["/run/github.sock", new URL(`http://${github.host}`)];
    relay = createServer((client) => {
      const there = connect(Number(address.port), address.hostname);
      client.pipe(there).on("error", () => client.destroy());
      there.pipe(client).on("error", () => there.destroy());
    }).listen(`${machine.root}${socket}`);
    await once(relay, "listening");
    const pid = (await machine.run(`docker inspect --format '{{.State.Pid}}' ${container}`)).trim();
    const proxy = `systemd-socket-activate --listen=${github.host} /lib/systemd/systemd-socket-proxyd ${socket}`;
    const inside = `nsenter --target=${pid} --net`;
    machine.start(`exec ${inside} ${proxy}`);
    const knock = `${inside} bash -c '</dev/tcp/${address.hostname}/${address.port}'`;
    await until("the stand-in answers inside", () =>
      machine
        .run(knock)
        .catch(() => null)
        .then((said) => said !== null),
    );
  }

  async function isReady(): Promise<boolean> {
    return fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
});

/** As systemd, and the server itself, read a file of settings. */
function asFile(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join("");
}
