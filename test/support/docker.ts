import { spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Machine } from "./machine.ts";
import { until } from "./until.ts";

const has = (command: string) => spawnSync("/bin/sh", ["-c", command]).status === 0;

/** Whether a Docker engine with the Compose of today can be started on a machine. */
export const canRunDocker = has("command -v dockerd tini") && has("docker compose version");

/** What a test says that was skipped. */
export const dockerSkipped = canRunDocker ? "" : " (skipped: needs docker.io, tini and version 2 of docker-compose)";

export interface Docker {
  stop(): Promise<void>;
}

/**
 * Starts Docker's engine on a machine where Signalbox is installed below /opt. It forwards nothing, so containers reach each other and
 * nothing beyond this machine. It knows two images, which stand in for the official ones of these names.
 */
export async function startDocker(machine: Machine): Promise<Docker> {
  const engine = machine.start(`exec unshare --mount --propagation=private /bin/sh -ec '${daemon(machine.name)}'`);
  const ended = once(engine, "exit");
  let said = "";
  for (const stream of [engine.stdout, engine.stderr]) stream?.on("data", (piece) => (said += piece));
  await until("Docker answers", async () => {
    if (engine.exitCode !== null) throw new Error(`Docker did not start: ${said}`);
    return machine.run("docker info").catch(() => null);
  });
  const docker: Docker = {
    async stop() {
      await machine.run("pkill --exact dockerd");
      await ended;
      // The engine leaves its bridge, and the network is not the machine's alone.
      await machine.run("ip link delete docker0");
    },
  };
  await machine.run(images).catch(async (error) => {
    await docker.stop();
    throw error;
  });
  return docker;
}

/** Its containers' control groups lie below one that can be told from others, where the machine has only systemd's. */
const daemon = (group: string) => `
mkdir -p /var/lib/docker
mount -t tmpfs tmpfs /var/lib/docker
if ! [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  umount --recursive /sys/fs/cgroup
  mount -t tmpfs tmpfs /sys/fs/cgroup
  mkdir /sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
  for controller in $(sed -n "s/^[1-9][0-9]*:\\([a-z_,]*\\):.*/\\1/p" /proc/self/cgroup); do
    mkdir "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
  done
fi
exec dockerd --iptables=false --ip-forward=false --storage-driver=overlay2 --cgroup-parent=/${group}`;

/** The packages in the images, which bring those that they need. */
const roots =
  "apt base-files base-passwd bash coreutils dash debianutils diffutils dpkg findutils grep gzip hostname init-system-helpers libc-bin " +
  "login mawk ncurses-base passwd perl-base sed sysvinit-utils tar util-linux " +
  "bubblewrap slirp4netns git git-lfs openssh-client ca-certificates tini postgresql";

/** What the official image does with the variables that compose.yml gives it. */
const postgresEntrypoint = `#!/bin/sh -e
data=/var/lib/postgresql/data
as='setpriv --reuid=postgres --regid=postgres --clear-groups'
install --directory --owner=postgres --mode=0700 "$data" /var/run/postgresql
if ! [ -s "$data/PG_VERSION" ]; then
  install --owner=postgres --mode=0600 "$POSTGRES_PASSWORD_FILE" /tmp/password
  $as initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 "$data"
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
  echo "create database $POSTGRES_DB" | $as postgres --single -D "$data" postgres
fi
exec $as postgres -D "$data" -c 'listen_addresses=*'`;

/**
 * A registry of images is out of reach: they are made of the packages of this machine, its certificates among them, and of the Node
 * that Signalbox brings and the npm that is here.
 */
const images = `
export TMPDIR=/var/tmp   # /tmp has next to no room on such a machine
folder=$(mktemp --directory)
cd "$folder"
packages=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances ${roots} |
  grep '^[a-z]' | sort --unique)
packages=$(dpkg-query --show --showformat='\${db:Status-Abbrev} \${binary:Package}\\n' $packages 2>&- | sed -n 's/^ii  //p')
{
  dpkg-query --listfiles $packages
  for package in $packages; do find /var/lib/dpkg/info -name "$package.*" -o -name "\${package%:*}.*"; done
  find /bin /lib /lib64 /sbin -maxdepth 0
  find /etc/alternatives /etc/apt /etc/ssl
  echo /etc/ld.so.cache
} | grep '^/' | grep -v '^/usr/share/\\(doc\\|info\\|locale\\|man\\)/\\|llvm\\|LLVM' | sed 's#^/\\(bin\\|lib\\|lib64\\|sbin\\)/#/usr/\\1/#' | sort --unique > files

mkdir -p own/etc own/proc own/run own/sys own/dev own/tmp own/home/node own/var/tmp own/var/lib/apt/lists/partial own/var/cache/apt/archives/partial
mkdir -p own/usr/local/bin own/usr/local/lib own/var/lib/dpkg/updates own/var/lib/dpkg/triggers
chmod 1777 own/tmp own/var/tmp
dpkg-query --status $packages > own/var/lib/dpkg/status
for file in passwd group; do { cat /usr/share/base-passwd/$file.master; grep '^postgres:' /etc/$file; } > own/etc/$file; done
echo 'node:x:1000:1000::/home/node:/bin/sh' >> own/etc/passwd
echo 'node:x:1000:' >> own/etc/group
chown 1000:1000 own/home/node
cp /etc/ssl/certs/ca-certificates.crt own/usr/local/lib/certificates.crt
cp --dereference /opt/signalbox/node_modules/.bin/node own/usr/local/bin/node
cp --recursive "$(npm root --global)/npm" own/usr/local/lib/npm
ln -s ../lib/npm/bin/npm-cli.js own/usr/local/bin/npm
ln -s /usr/lib/postgresql/*/bin/* own/usr/local/bin
cat > own/usr/local/bin/postgres-entrypoint <<'END'
${postgresEntrypoint}
END
chmod +x own/usr/local/bin/postgres-entrypoint

tar --create --absolute-names --no-recursion --ignore-failed-read --files-from=files --file=files.tar 2>&-
tar --append --file=files.tar --directory=own .
docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/usr/sbin' --change 'ENV NODE_EXTRA_CA_CERTS=/usr/local/lib/certificates.crt' files.tar node:24-bookworm-slim
docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/usr/sbin' --change 'ENTRYPOINT ["postgres-entrypoint"]' files.tar postgres:17-bookworm
rm -r "$folder"`;
