// The playground on its page: one run, three surfaces, and what the reader does with them.

import { Controls } from "./controls";
import { Masks } from "./masks";
import { Pace } from "./pace";
import { isState, type Reading, read, type Settings, write } from "./state";
import { averageSurface, fullSurface, type Surface, thinnedSurface } from "./surfaces";
import { Trainer } from "./trainer";
import { type SurfaceName, View } from "./view";
import { DIVERGED, IS_OVER, progressText } from "./words";

/** Networks in the average: fewer while training goes on, so that it follows. */
const [AVERAGED_TRAINING, AVERAGED_AT_REST] = [10, 100];
/** Milliseconds of a frame for each of the three surfaces, while training goes on and at rest: a slow phone takes
 * four times as long, and answers its reader after at most 50. */
const [SLICE_TRAINING, SLICE_AT_REST] = [3, 4];
/** Milliseconds between two masks that are shown: more than three flashes in a second could harm some people. */
const MASK_PAUSE = 400;
/** Milliseconds between two updates of numbers and drawings, and between two sentences for screen readers. */
const [NUMBERS_PAUSE, WORDS_PAUSE] = [250, 5000];
/** Milliseconds between two pictures for readers who want little movement; the mask rests until training does. */
const CALM_PAUSE = 1000;
/** Milliseconds after which a setting counts as chosen. */
const SETTLED = 300;

const now = (): number => performance.now();

export class Playground {
  private readonly view: View;
  private readonly controls: Controls;
  private readonly calm = matchMedia("(prefers-reduced-motion: reduce)");
  private settings!: Settings;
  private trainer!: Trainer;
  /** The mask that is drawn. */
  private mask!: Masks;
  private surfaces!: Record<SurfaceName, Surface>;
  /** Present while training goes on. */
  private pace: Pace | null = null;
  private frameAsked = false;
  private settling = 0;
  private last = { mask: 0, numbers: 0, words: 0, picture: 0 };

  constructor(form: HTMLFormElement) {
    this.view = new View(form);
    this.controls = new Controls(form, (reading, restarts) => this.change(reading, restarts));
    this.view.on({
      run: () => (this.pace ? this.rest() : this.run()),
      step: () => this.step(),
      restart: () => {
        this.restart();
        this.tell();
      },
      copy: () => this.copy(),
    });
    const isLinked = isState(location.hash);
    this.setUp(read(isLinked ? location.hash : ""));
    if (isLinked) this.view.comeIntoSight(false);
    addEventListener("hashchange", () => this.follow());
    document.addEventListener("click", (event) => {
      // A link to where we are changes no address.
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      const opensElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
      if (link && !opensElsewhere && link.href === location.href) this.follow();
    });
    const recolour = new MutationObserver(() => this.view.recolour());
    recolour.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  /** Set up what the address asks for. */
  private follow(): void {
    if (!isState(location.hash)) return;
    this.setUp(read(location.hash));
    this.view.comeIntoSight(true);
  }

  private setUp(reading: Reading): void {
    this.settings = reading.settings;
    this.controls.show(reading.settings);
    this.view.complain(reading.complaints);
    this.stop();
    this.restart();
    this.tell();
  }

  /** A setting was changed; what was trained with another one is not kept, so that a run follows from its settings. */
  private change(reading: Reading, restarts: boolean): void {
    this.settings = reading.settings;
    this.view.complain(reading.complaints);
    // While a slider moves, the address rests, and a screen reader says its value and nothing else.
    clearTimeout(this.settling);
    this.settling = window.setTimeout(() => {
      this.view.setAddress(write(this.settings));
      if (restarts) this.tell();
    }, SETTLED);
    if (this.pace) this.pace = new Pace(this.settings.speed, now());
    if (restarts) this.restart();
  }

  private restart(): void {
    this.trainer = new Trainer(this.settings);
    this.mask = new Masks(this.trainer.widths, this.trainer.rule, 1, true);
    this.surfaces = {
      full: fullSurface(this.trainer),
      thinned: thinnedSurface(this.trainer, this.mask),
      average: averageSurface(this.trainer),
    };
    this.refresh();
  }

  private run(): void {
    if (this.isAtEnd) return;
    this.pace = new Pace(this.settings.speed, now());
    this.view.setRunning(true);
    this.wake();
  }

  private stop(): void {
    this.pace = null;
    this.view.setRunning(false);
  }

  private rest(): void {
    this.stop();
    this.refresh();
    this.tell();
  }

  private step(): void {
    if (!this.isAtEnd) this.trainer.step();
    this.rest();
  }

  private get isAtEnd(): boolean {
    return this.trainer.isOver || this.trainer.hasDiverged;
  }

  /** Show where the run is. */
  private refresh(): void {
    this.showMask();
    this.showRun();
    this.showScores();
    this.wake();
  }

  private wake(): void {
    this.view.setState(this.pace ? "training" : "drawing");
    if (this.frameAsked) return;
    this.frameAsked = true;
    requestAnimationFrame(() => this.frame());
  }

  private frame(): void {
    this.frameAsked = false;
    if (this.pace) this.train(this.pace);
    this.advanceSurfaces();
    const isBusy = Object.values(this.surfaces).some((surface) => surface.isBusy);
    const pause = this.pace && this.calm.matches ? CALM_PAUSE : NUMBERS_PAUSE;
    if (!(this.pace || isBusy) || now() - this.last.numbers > pause) {
      if (this.pace) this.showRun();
      this.showScores();
    }
    if (this.pace || isBusy) this.wake();
    else this.view.setState("idle");
  }

  private train(pace: Pace): void {
    const { trainer } = this;
    pace.spend(now, () => {
      trainer.step();
      if (trainer.epoch % this.settings.pause === 0 || trainer.isOver || trainer.hasDiverged) this.rest();
      return this.pace !== null;
    });
    if (this.pace === null) return;
    if (now() - this.last.words > WORDS_PAUSE) this.tell();
    if (!this.calm.matches && now() - this.last.mask > MASK_PAUSE && !this.surfaces.thinned.isBusy) this.showMask();
  }

  /** Take the mask that training drew last, and look at the thinned network it leaves. */
  private showMask(): void {
    this.mask.take(this.trainer.mask, 0);
    this.surfaces.thinned.begin(1);
    this.last.mask = now();
  }

  /** Spend a part of the frame on each surface; while training goes on, one is finished before it is begun anew. */
  private advanceSurfaces(): void {
    const { full, thinned, average } = this.surfaces;
    const isCalm = this.pace !== null && this.calm.matches;
    if (!isCalm || now() - this.last.picture > CALM_PAUSE) {
      this.last.picture = now();
      this.keepUp(full, 1);
      this.keepUp(average, this.pace ? AVERAGED_TRAINING : AVERAGED_AT_REST);
    }
    const slice = this.pace ? SLICE_TRAINING : SLICE_AT_REST;
    for (const [name, surface] of Object.entries({ thinned, full, average }) as [SurfaceName, Surface][]) {
      const isFresh = surface.advance(now() + slice, now, this.pace === null);
      if (isFresh) this.view.showSurface(name, surface, this.trainer);
    }
  }

  private keepUp(surface: Surface, networks: number): void {
    if (surface.isOf(this.trainer.epoch, networks) || (this.pace && surface.isBusy)) return;
    surface.begin(networks);
  }

  private showRun(): void {
    this.view.showRun(this.trainer, this.mask);
  }

  private showScores(): void {
    this.view.showScores(this.surfaces);
    this.last.numbers = now();
  }

  /** Say where it is. */
  private tell(): void {
    const { hasDiverged, isOver, losses } = this.trainer;
    this.view.say(progressText(losses));
    this.view.tell(hasDiverged ? DIVERGED : isOver ? IS_OVER : "");
    this.last.words = now();
  }

  /** Make a link that pauses where the run is now, so that whoever follows it can arrive here. */
  private copy(): void {
    const { epoch } = this.trainer;
    const settings = epoch > 0 ? { ...this.settings, pause: epoch } : this.settings;
    void this.view.copy(write(settings), epoch);
  }
}
