// Numbers that look random and follow from a seed: the same state of the page gives the same run.

/** What randomness is needed for; each has a stream of its own, so that a change of one leaves the others alone. */
export const STREAMS = { train: 1, test: 2, weights: 3, order: 4, masks: 5, average: 6, show: 7 } as const;

/** The generator sfc32 of PractRand: 128 bits of state, 32 bits a draw. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;
  private spare: number | null = null;

  /** `path` tells streams of one seed apart, for example the purpose and the epoch. */
  constructor(seed: number, ...path: number[]) {
    let state = 0x9e3779b9;
    for (const part of [seed, ...path]) state = mix(state ^ mix(part | 0));
    this.a = state = mix(state + 1);
    this.b = state = mix(state + 2);
    this.c = mix(state + 3);
    for (let round = 0; round < 15; round++) this.bits();
  }

  /** 32 random bits as a whole number. */
  bits(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform on [0, 1), in steps of 2⁻³². */
  uniform(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** Standard normal, by Marsaglia's polar method, which gives two at a time. */
  normal(): number {
    if (this.spare !== null) {
      const kept = this.spare;
      this.spare = null;
      return kept;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square > 0 && square < 1) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square);
        this.spare = y * factor;
        return x * factor;
      }
    }
  }

  /** Put numbers into a random order, each order as likely as any other (Fisher and Yates). */
  shuffle(values: Uint32Array): void {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const moved = values[last]!;
      values[last] = values[other]!;
      values[other] = moved;
    }
  }
}

/** The finaliser of MurmurHash3: neighbouring numbers come out far apart. */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
