// The settings of the playground, as text behind the # of its address and back.

import known from "./settings.json";
import type { Shape } from "./data";
import type { Mode } from "./masks";

export type Speed = "slow" | "normal" | "fast";

/** `p` is the drop probability of the inputs, then of each hidden layer: it says how many layers there are. */
export interface Settings {
  readonly data: Shape;
  readonly noise: number;
  readonly points: number;
  readonly seed: number;
  readonly width: number;
  readonly p: readonly number[];
  readonly mode: Mode;
  readonly rate: number;
  readonly batch: number;
  readonly pause: number;
  readonly speed: Speed;
}

/** Settings in the order in which an address names them. */
const NAMES = ["data", "noise", "points", "seed", "width", "p", "mode", "rate", "batch", "pause", "speed"] as const;

const MOST_LAYERS = Math.max(...known.layers.values);

export const DEFAULTS: Settings = {
  data: known.data.default as Shape,
  noise: known.noise.default,
  points: known.points.default,
  seed: known.seed.default,
  width: known.width.default,
  p: [0, ...Array.from({ length: known.layers.default }, () => known.p.default)],
  mode: known.mode.default as Mode,
  rate: known.rate.default,
  batch: known.batch.default,
  pause: known.pause.default,
  speed: known.speed.default as Speed,
};

export interface Reading {
  readonly settings: Settings;
  /** What was wrong with the text, one sentence each; what it says is set right in `settings`. */
  readonly complaints: readonly string[];
}

/** Whether the text behind a # means settings; otherwise it names a place on the page. */
export function isState(hash: string): boolean {
  return hash.includes("=");
}

export function write(settings: Settings): string {
  return NAMES.map((name) => `${name}=${String(settings[name])}`).join("&");
}

/** Read settings; what is missing has its default value, and what is wrong is set right and named. */
export function read(hash: string): Reading {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const complaints: string[] = [];
  for (const name of new Set(given.keys())) {
    if (!(NAMES as readonly string[]).includes(name)) {
      complaints.push(`There is no setting “${name}”; there are ${NAMES.join(", ")}. It was ignored.`);
    } else if (given.getAll(name).length > 1) {
      complaints.push(`${name} is given more than once; the first value counts.`);
    }
  }
  const reader = new Reader(given, complaints);
  const settings: Settings = {
    data: reader.choice("data", known.data.values, DEFAULTS.data) as Shape,
    noise: reader.number("noise", DEFAULTS.noise),
    points: reader.number("points", DEFAULTS.points),
    seed: reader.number("seed", DEFAULTS.seed),
    width: reader.number("width", DEFAULTS.width),
    p: reader.rates(),
    mode: reader.choice("mode", known.mode.values, DEFAULTS.mode) as Mode,
    rate: Number(reader.choice("rate", known.rate.values.map(String), String(DEFAULTS.rate))),
    batch: Number(reader.choice("batch", known.batch.values.map(String), String(DEFAULTS.batch))),
    pause: reader.number("pause", DEFAULTS.pause),
    speed: reader.choice("speed", known.speed.values, DEFAULTS.speed) as Speed,
  };
  return { settings, complaints };
}

type Ranged = "noise" | "points" | "seed" | "width" | "pause" | "p";

class Reader {
  constructor(
    private readonly given: URLSearchParams,
    private readonly complaints: string[],
  ) {}

  choice(name: string, values: readonly string[], standard: string): string {
    const text = this.given.get(name);
    if (text === null || values.includes(text)) return text ?? standard;
    // 0.30 means 0.3.
    const same = values.find((value) => text.trim() !== "" && Number(value) === Number(text));
    if (same !== undefined) return same;
    this.complain(name, `is one of ${values.join(", ")}`, text, standard);
    return standard;
  }

  number(name: Exclude<Ranged, "p">, standard: number): number {
    const text = this.given.get(name);
    return text === null ? standard : this.fit(name, text, standard);
  }

  rates(): readonly number[] {
    const text = this.given.get("p");
    if (text === null) return DEFAULTS.p;
    const parts = text.split(",");
    if (parts.length < 2 || parts.length > 1 + MOST_LAYERS) {
      const wanted = `lists the rate of the inputs and of 1 to ${MOST_LAYERS} hidden layers, such as 0,0.5,0.5`;
      this.complain("p", wanted, text, DEFAULTS.p.join(","));
      return DEFAULTS.p;
    }
    return parts.map((part, layer) => this.fit("p", part, DEFAULTS.p[layer] ?? known.p.default));
  }

  private fit(name: Ranged, text: string, standard: number): number {
    const { min, max, step } = known[name];
    const value = text.trim() === "" ? NaN : Number(text);
    // Steps are counted from 0, and 3 · 0.05 is not 0.15 before it is rounded.
    const steps = Math.round((Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : standard) / step);
    const fitting = Number((steps * step).toFixed(6));
    if (fitting !== value) this.complain(name, `goes from ${min} to ${max} in steps of ${step}`, text, String(fitting));
    return fitting;
  }

  private complain(name: string, range: string, text: string, used: string): void {
    this.complaints.push(`${name} ${range}: “${text}” was set to ${used}.`);
  }
}
