/** Elements by their tag, properties and children: text and nodes alone, never markup. */
type Child = Node | string | false | undefined;

/** A property of the element, or else an attribute: `aria-label`, `for`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Record<string, unknown> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) Reflect.set(element, name, value);
    else element.setAttribute(name, String(value));
  }
  element.append(...children.filter((each): each is Node | string => Boolean(each)));
  return element;
}

/** A text that a person may want to take along. */
export const code = (text: string) => h("pre", { className: "code", tabIndex: 0 }, text);

/** A labelled control with room for the sentence about its value. */
export interface Field<T extends HTMLElement> {
  control: T;
  row: HTMLElement;
  /** Show a sentence beside the control; none takes it away. */
  complain: (sentence?: string) => void;
}

export function field<T extends HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>(
  id: string,
  label: string,
  control: T,
  hint?: string,
): Field<T> {
  control.id = id;
  const error = h("p", { className: "err", id: `${id}-error`, hidden: true });
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  const row = h(
    "div",
    { className: "lab1" },
    h("label", { htmlFor: id }, label),
    control,
    error,
    hint && h("p", { className: "hint", id: `${id}-hint` }, hint),
  );
  const complain = (sentence = "") => {
    error.textContent = sentence;
    error.hidden = !sentence;
    const described = [sentence && error.id, hint && `${id}-hint`].filter(Boolean).join(" ");
    for (const [name, value] of [
      ["aria-invalid", sentence && "true"],
      ["aria-describedby", described],
    ] as const) {
      if (value) control.setAttribute(name, value);
      else control.removeAttribute(name);
    }
  };
  control.addEventListener("input", () => complain());
  return { control, row, complain };
}

/** Copy a text. Returns whether the browser allowed it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // the text is on the page too
  }
}
