import type { EnteredImage, Images } from "../process/images.ts";
import type { RunIo } from "../runs/execute.ts";

/** A check's image, brought here when somebody wants it. `null` stands for a check that has none. */
export function lazyImage(
  images: Images,
  name: string | null,
  io: RunIo,
): {
  /** As a step of the log, which says which image it is; the second time it is the same. */
  enter(): Promise<EnteredImage | null>;
  leave(): Promise<void>;
} {
  let stay: Promise<EnteredImage> | null = null;

  async function begin(image: string): Promise<EnteredImage> {
    const step = await io.step(`Image ${image}`);
    const entered = await images.enter(image, io.stop);
    await io.write(Buffer.from(`${entered.pinned}\n`));
    await step.end(null);
    return entered;
  }

  return {
    async enter() {
      if (name === null) return null;
      stay ??= begin(name);
      return stay;
    },
    async leave() {
      (await stay?.catch(() => null))?.leave();
    },
  };
}
