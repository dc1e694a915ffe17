// One card on a page: a button that checks, a reply that is read out, and four grades to give oneself.

import { findMistake, fits, isClose, type Key, readNumber } from "./answers";
import { button, copyOf, dateText, element, whenText } from "./dom";
import { GRADES, isDue, type Memory, preview, replay, type Review } from "./schedule";
import type { Store } from "./store";

const GRADE_NAMES = ["Again", "Hard", "Good", "Easy"] as const;

/** Told of each grade with what follows from it, and with null of each that is taken back. */
export type OnGrade = (card: CardView, given: { review: Review; words: string } | null) => void;

export class CardView {
  readonly id: string;
  readonly objective: string;
  readonly page: string;
  readonly task: HTMLFieldSetElement;
  private readonly key: Key;
  private readonly kind: string;
  private readonly answer: HTMLDetailsElement;
  private readonly feedback = element("div", { role: "status", class: "recall-feedback" });
  private readonly grades = element("fieldset", { class: "recall-grades" });
  private readonly standing = element("p", { class: "recall-standing" });

  constructor(
    readonly item: HTMLElement,
    private readonly store: Store,
    private readonly onGrade: OnGrade,
  ) {
    this.id = item.dataset.card ?? "";
    this.kind = item.dataset.kind ?? "";
    this.objective = item.dataset.objective ?? "";
    this.page = item.closest<HTMLElement>("[data-page]")?.dataset.page ?? "";
    this.key = JSON.parse(item.dataset.key ?? "{}") as Key;
    this.task = item.querySelector<HTMLFieldSetElement>(".recall-task")!;
    this.answer = item.querySelector<HTMLDetailsElement>(".recall-answer")!;
    const words = this.kind === "recall" ? "Show the answer" : "Check";
    this.task.append(element("p", { class: "recall-actions" }, button(words, () => this.check())));
    this.task.addEventListener("keydown", (event) => {
      const field = event.target;
      if (event.key === "Enter" && field instanceof HTMLInputElement) this.check();
    });
    // Whoever opens the answer without answering grades from there.
    this.answer.querySelector("summary")?.addEventListener("click", () => this.askForGrade());
    this.grades.hidden = true;
    this.task.after(this.feedback);
    item.append(this.grades, this.standing);
    this.refresh();
  }

  get history(): readonly Review[] {
    return this.store.history(this.id);
  }

  get memory(): Memory | null {
    return replay(this.history);
  }

  isDue(now: number): boolean {
    const memory = this.memory;
    return memory !== null && isDue(memory, now);
  }

  /** Say when the card comes back. */
  refresh(): void {
    const memory = this.memory;
    const now = Date.now();
    this.standing.hidden = memory === null;
    if (memory === null) return;
    const due = isDue(memory, now);
    this.standing.textContent = due ? "Due today." : `Next review on ${dateText(memory.due)}.`;
  }

  /** As the page brought it: nothing answered, nothing shown. */
  clear(): void {
    for (const field of this.fields()) {
      field.value = field.type === "radio" || field.type === "checkbox" ? field.value : "";
      if (field instanceof HTMLInputElement) field.checked = false;
    }
    for (const marked of this.item.querySelectorAll("[data-mark]")) marked.removeAttribute("data-mark");
    for (const details of this.item.querySelectorAll("details")) details.open = false;
    this.feedback.replaceChildren();
    this.grades.hidden = true;
    this.refresh();
  }

  focus(): void {
    this.task.tabIndex = -1;
    this.task.focus();
  }

  private fields(): (HTMLInputElement | HTMLTextAreaElement)[] {
    return [...this.task.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")];
  }

  private check(): void {
    const reply =
      this.key.correct !== undefined
        ? this.checkOptions(this.key.correct)
        : this.key.answer !== undefined
          ? this.checkNumber(this.key.answer)
          : this.key.blanks !== undefined
            ? this.checkBlanks(this.key.blanks)
            : [element("p", {}, "Compare the answer with your own words, then grade yourself.")];
    if (reply === null) return;
    this.feedback.replaceChildren(...reply);
    this.answer.open = true;
    this.askForGrade();
  }

  /** Ask for an answer that can be checked. */
  private ask(words: string): null {
    this.feedback.replaceChildren(element("p", {}, words));
    return null;
  }

  private checkOptions(correct: readonly string[]): Node[] | null {
    const options = this.fields() as HTMLInputElement[];
    const chosen = options.filter((option) => option.checked).map((option) => option.value);
    if (chosen.length === 0) return this.ask("Choose first. If you do not know, open the answer.");
    const replies = element("ul");
    for (const option of options) {
      const letter = option.value;
      const right = option.checked === correct.includes(letter);
      option.closest("li")?.setAttribute("data-mark", right ? (option.checked ? "right" : "") : "wrong");
      // A wrong option that was left alone needs no reply, nor what could not be picked beside another.
      if (!option.checked && (right || option.type === "radio")) continue;
      const reply = this.answer.querySelector(`[data-option="${letter}"]`);
      const before = option.checked ? [] : ["You left one out: "];
      if (reply) replies.append(element("li", {}, ...before, ...copyOf(reply.querySelector("p") ?? reply)));
    }
    const all = options.every((option) => option.checked === correct.includes(option.value));
    return [this.verdict(all, all ? "Right." : "Not quite."), replies];
  }

  private checkNumber(answer: number): Node[] | null {
    const values = readNumber(this.fields()[0]?.value ?? "");
    if (values.length === 0) return this.ask("Write a number, such as 0.25, 25 % or 1/4.");
    if (values.some((value) => isClose(value, answer, this.key.tolerance ?? 0))) {
      return [this.verdict(true, "Right.")];
    }
    const reply = this.answer.querySelector(`[data-wrong="${findMistake(values, this.key)}"]`);
    const given = this.kind === "predict" ? `You predicted ${values[0]}` : `You wrote ${values[0]}`;
    const verdict = this.verdict(false, `${given}; it is ${answer}.`);
    return reply ? [verdict, element("div", {}, ...copyOf(reply))] : [verdict];
  }

  private checkBlanks(blanks: readonly (readonly string[])[]): Node[] | null {
    const fields = this.fields();
    if (fields.every((field) => !field.value.trim())) return this.ask("Fill in a blank first, or open the answer.");
    const right = blanks.map((accepted, index) => fits(fields[index]?.value ?? "", accepted));
    right.forEach((good, index) => fields[index]?.setAttribute("data-mark", good ? "right" : "wrong"));
    if (right.every(Boolean)) return [this.verdict(true, "Right.")];
    const differing = right.flatMap((good, index) => (good ? [] : [`blank ${index + 1}`])).join(", ");
    const advice = "If yours means the same, it counts.";
    return [this.verdict(false, `Not as on the card: ${differing}. ${advice}`)];
  }

  private verdict(right: boolean, words: string): HTMLElement {
    return element("p", { class: "recall-verdict", "data-mark": right ? "right" : "wrong" }, words);
  }

  private askForGrade(): void {
    if (!this.grades.hidden) return;
    const now = Date.now();
    const due = preview(this.history, now);
    const buttons = GRADES.map((grade, index) => {
      const made = button(GRADE_NAMES[index]!, () => this.give(index + 1));
      made.dataset.grade = grade;
      made.append(element("small", {}, ` ${whenText(due[index]!, now)}`));
      return made;
    });
    const legend = element("legend", {}, "How well did you know it? It comes back:");
    this.grades.replaceChildren(legend, element("div", { class: "recall-actions" }, ...buttons));
    this.grades.hidden = false;
  }

  private give(grade: number): void {
    const review: Review = [Math.floor(Date.now() / 1000), grade];
    this.store.add(this.id, review);
    const memory = this.memory;
    const now = Date.now();
    const next = memory ? `${whenText(memory.due, now)}, on ${dateText(memory.due)}` : "now";
    const undo = button("Undo", () => this.takeBack(review));
    const words = `Noted as ${GRADES[grade - 1]}. Next review ${next}.`;
    this.feedback.replaceChildren(element("p", {}, `${words} `, undo));
    this.grades.hidden = true;
    this.refresh();
    undo.focus();
    this.onGrade(this, { review, words });
  }

  takeBack(review: Review): void {
    this.store.remove(this.id, review);
    this.feedback.replaceChildren(element("p", {}, "Taken back."));
    this.refresh();
    this.askForGrade();
    this.grades.querySelector("button")?.focus();
    this.onGrade(this, null);
  }
}
