// The parts of the page that the playground writes to: buttons, pictures, table, sentences, address.

import { type Colours, coloursOf, Picture } from "./canvas";
import { drawCurve } from "./curve";
import { drawNetwork } from "./drawing";
import type { Masks } from "./masks";
import { SurfacePainter } from "./painting";
import type { Surface } from "./surfaces";
import type { Trainer } from "./trainer";
import { curveText, lossText, maskText, networkText, surfaceText } from "./words";

export const SURFACES = { full: "Full network", thinned: "Thinned network", average: "Average" } as const;
export type SurfaceName = keyof typeof SURFACES;
type Action = "run" | "step" | "restart" | "copy";

export class View {
  private readonly pictures: Record<SurfaceName | "network" | "curve", Picture>;
  private readonly painter = new SurfacePainter();
  private readonly surfaces = new Map<SurfaceName, Surface>();
  private run: { trainer: Trainer; mask: Masks } | null = null;
  private colours: Colours;

  constructor(private readonly form: HTMLFormElement) {
    form.hidden = false;
    for (const note of document.querySelectorAll<HTMLElement>(".playground-missing")) note.hidden = true;
    this.colours = coloursOf(form);
    const surface = (name: SurfaceName) => this.picture(name, (picture) => this.paintSurface(name, picture));
    this.pictures = {
      full: surface("full"),
      thinned: surface("thinned"),
      average: surface("average"),
      network: this.picture("network", (picture) => this.paintNetwork(picture)),
      curve: this.picture("curve", (picture) => {
        if (this.run) drawCurve(picture, this.run.trainer.losses, this.colours);
      }),
    };
  }

  on(actions: Record<Action, () => void>): void {
    for (const [name, action] of Object.entries(actions)) this.part(name).addEventListener("click", action);
  }

  setRunning(isRunning: boolean): void {
    this.part("run").textContent = isRunning ? "Pause" : "Train";
  }

  /** For the style sheet and for tests: training, still drawing, or idle. */
  setState(state: "training" | "drawing" | "idle"): void {
    this.form.dataset.state = state;
  }

  /** The numbers on the page as a sentence that screen readers read out. */
  say(words: string): void {
    this.part("said").textContent = words;
  }

  /** Something that everybody is told; nothing takes the last news away. */
  tell(words: string): void {
    this.part("news").textContent = words;
  }

  complain(complaints: readonly string[]): void {
    this.part("complaints").replaceChildren(
      ...complaints.map((words) => {
        const paragraph = document.createElement("p");
        paragraph.textContent = words;
        return paragraph;
      }),
    );
  }

  showRun(trainer: Trainer, mask: Masks): void {
    this.run = { trainer, mask };
    const { epoch, losses, settings } = trainer;
    this.part("epoch").textContent = String(epoch);
    this.part("train-loss").textContent = lossText(losses.train[epoch]!);
    this.part("test-loss").textContent = lossText(losses.test[epoch]!);
    this.part("mask").textContent = maskText(settings, mask);
    this.pictures.network.describe(networkText(settings, mask));
    this.pictures.curve.describe(curveText(losses));
    this.pictures.network.paint();
    this.pictures.curve.paint();
  }

  showSurface(name: SurfaceName, surface: Surface, trainer: Trainer): void {
    this.surfaces.set(name, surface);
    this.run = { trainer, mask: this.run!.mask };
    this.pictures[name].paint();
  }

  /** Fill the table; a row of a surface that is not computed yet stays as it is. */
  showScores(surfaces: Record<SurfaceName, Surface>): void {
    for (const name of Object.keys(SURFACES) as SurfaceName[]) {
      const surface = surfaces[name];
      if (surface.networks === 0) continue;
      const scores = surface.scores();
      const cells = this.form.querySelectorAll(`[data-scores="${name}"] td`);
      [scores.train, scores.test].forEach((score, index) => {
        cells[2 * index]!.textContent = lossText(score.loss);
        cells[2 * index + 1]!.textContent = `${score.wrong} of ${score.number}`;
      });
      this.pictures[name].describe(surfaceText(SURFACES[name], scores));
    }
    this.part("networks").textContent = String(surfaces.average.networks);
  }

  /** The theme has changed. */
  recolour(): void {
    this.colours = coloursOf(this.form);
    for (const picture of Object.values(this.pictures)) picture.paint();
  }

  comeIntoSight(takesFocus: boolean): void {
    this.form.scrollIntoView({ block: "start" });
    if (takesFocus) this.part("run").focus({ preventScroll: true });
  }

  setAddress(state: string): void {
    try {
      history.replaceState(history.state, "", `#${state}`);
    } catch {
      // A browser may forbid it for files; the address then stays behind, and the button still makes a link.
    }
  }

  /** Put a link into the clipboard, or where the browser forbids it, into a field to copy it from. */
  async copy(state: string, epoch: number): Promise<void> {
    const link = `${location.href.split("#")[0]}#${state}`;
    const arriving = epoch > 0 ? ` Whoever opens it and presses Train arrives at epoch ${epoch}.` : "";
    const field = this.part("link") as HTMLInputElement;
    field.value = link;
    try {
      await navigator.clipboard.writeText(link);
      field.hidden = true;
      this.tell(`The link is copied.${arriving}`);
    } catch {
      field.hidden = false;
      field.focus();
      field.select();
      this.tell(`The browser does not let the page copy. The link is in the field: copy it from there.${arriving}`);
    }
  }

  private part(name: string): HTMLElement {
    const part = this.form.querySelector<HTMLElement>(`[data-play="${name}"]`);
    if (part === null) throw new Error(`the playground's page has no part ${name}`);
    return part;
  }

  private picture(name: string, draw: (picture: Picture) => void): Picture {
    return new Picture(this.part(name) as HTMLCanvasElement, draw);
  }

  private paintSurface(name: SurfaceName, picture: Picture): void {
    const surface = this.surfaces.get(name);
    if (surface && this.run) this.painter.paint(picture, surface.shown, this.run.trainer.train, this.colours);
  }

  private paintNetwork(picture: Picture): void {
    if (!this.run) return;
    const { trainer, mask } = this.run;
    drawNetwork(picture, trainer.parameters, trainer.settings.p, mask, this.colours);
  }
}
