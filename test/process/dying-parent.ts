import { spawnCommand } from "../../src/process/spawn.ts";

// A server in small: runs the command that its argument describes and dies of whatever the test does to it.
await spawnCommand(JSON.parse(process.argv[2] ?? ""), {
  write: async (output) => void process.stdout.write(output),
  stop: new AbortController().signal,
});
