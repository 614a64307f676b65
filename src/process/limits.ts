import { totalmem } from "node:os";

/** What one command may use of the machine, whatever else it may do. Sizes in bytes. */
export interface Limits {
  /** Threads count too. */
  readonly processes: number;
  /** Only where there are control groups. */
  readonly memory: number;
  /** Of one file. */
  readonly fileSize: number;
  /** What stays free on the disk. */
  readonly reserve: number;
  /** Of each folder in memory: `/tmp`, `/dev/shm`, `/run`. */
  readonly inMemory: number;
}

/** Generous to a build that is well, and tight enough that a sick one leaves the server alive. */
export function usualLimits(): Limits {
  return {
    processes: 4_096,
    memory: Math.floor(totalmem() * 0.75),
    fileSize: 10_737_418_240,
    inMemory: 1_073_741_824,
    reserve: 1_073_741_824,
  };
}
