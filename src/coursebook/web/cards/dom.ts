// Small helpers for building elements and for saying dates.

import { daysAhead } from "./schedule";

type Child = Node | string;

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function button(text: string, action: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: "recall-button" }, text);
  made.addEventListener("click", action);
  return made;
}

/** The contents of an element, copied, without places that links could mean twice. */
export function copyOf(source: Element): Node[] {
  const copy = source.cloneNode(true) as Element;
  for (const named of copy.querySelectorAll("[id]")) named.removeAttribute("id");
  return [...copy.childNodes];
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

export function dateText(moment: number): string {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" }).format(moment);
}

/** How far ahead a moment lies: "in 10 minutes", "tomorrow", "in 12 days". */
export function whenText(moment: number, now: number): string {
  const days = daysAhead(moment, now);
  if (moment <= now) return "now";
  if (days <= 0 || moment - now < 3_600_000) return `in ${plural(Math.ceil((moment - now) / 60_000), "minute")}`;
  return days === 1 ? "tomorrow" : `in ${days} days`;
}
