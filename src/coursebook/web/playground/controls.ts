// The fields of the form: settings in, settings out. What they accept is decided in state.ts alone.

import { DEFAULTS, read, type Reading, type Settings, write } from "./state";

type Field = HTMLInputElement | HTMLSelectElement;

/** Names of fields that are settings of the same name; p and the number of layers are put together. */
const PLAIN = ["data", "noise", "points", "seed", "width", "mode", "rate", "batch", "pause", "speed"] as const;

/** These change nothing that was trained. */
const PACE: readonly string[] = ["pause", "speed"];

export class Controls {
  constructor(
    private readonly form: HTMLFormElement,
    onChange: (reading: Reading, restarts: boolean) => void,
  ) {
    const changed = (event: Event): void => {
      const field = event.target as Field;
      // A number is read when it is complete; half of one would be set right under the reader's fingers.
      if (field.type === "number" && event.type === "input") return;
      if (field.type !== "number" && event.type === "change") return;
      const reading = this.reading();
      this.show(reading.settings);
      onChange(reading, !PACE.includes(field.name));
    };
    form.addEventListener("input", changed);
    form.addEventListener("change", changed);
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Put settings into the fields. */
  show(settings: Settings): void {
    for (const name of PLAIN) this.fill(name, String(settings[name]));
    this.fill("layers", String(settings.p.length - 1));
    for (let layer = 0; this.field(`p${layer}`) !== null; layer++) {
      const p = settings.p[layer];
      if (p !== undefined) this.fill(`p${layer}`, String(p));
      const row = this.field(`p${layer}`)!.closest<HTMLElement>("[data-row]");
      if (row) row.hidden = p === undefined;
    }
  }

  private reading(): Reading {
    const layers = Number(this.value("layers"));
    const p = Array.from({ length: layers + 1 }, (_, layer) => this.value(`p${layer}`));
    const given = { ...DEFAULTS, ...Object.fromEntries(PLAIN.map((name) => [name, this.value(name)])), p };
    return read(write(given as unknown as Settings));
  }

  private field(name: string): Field | null {
    return this.form.elements.namedItem(name) as Field | null;
  }

  private value(name: string): string {
    return this.field(name)?.value ?? "";
  }

  private fill(name: string, value: string): void {
    const field = this.field(name);
    if (field === null) return;
    if (field.value !== value) field.value = value;
    const output = this.form.querySelector(`output[for="${field.id}"]`);
    if (output) output.textContent = value;
  }
}
