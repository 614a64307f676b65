/** Knows whether so much arrives that everything else should wait a little. Times are those of `performance.now()`. */
export interface Crowd {
  came(now: number): void;
  isThere(now: number): boolean;
}

/** Counts by slots of time: it is a crowd when the present slot and the one before have seen many. */
export function crowd(): Crowd {
  let [slot, here, before] = [0, 0, 0];
  function turnTo(now: number): void {
    const current = Math.floor(now / slotLength);
    if (current === slot) return;
    before = current === slot + 1 ? here : 0;
    [slot, here] = [current, 0];
  }
  return {
    came(now) {
      turnTo(now);
      here += 1;
    },
    isThere(now) {
      turnTo(now);
      return here + before > many;
    },
  };
}

/** Milliseconds. */
const slotLength = 25;
/** In two slots: more than a thousand a second. Fewer leave time enough to move them as they come. */
const many = 50;
