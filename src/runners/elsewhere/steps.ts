import type { CheckIo, Step } from "../runner.ts";

/** The steps of a build elsewhere: opening one ends the one before. */
export interface Steps {
  enter(name: string): Promise<void>;
  /** Ends what is open; safe to repeat. */
  end(): Promise<void>;
}

export function stepsOf(io: CheckIo): Steps {
  let open: Step | null = null;
  const end = async () => {
    const step = open;
    open = null;
    await step?.end(null);
  };
  return {
    end,
    async enter(name) {
      await end();
      open = await io.step(name);
    },
  };
}
