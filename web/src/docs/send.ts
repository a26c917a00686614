/** A form per operation: its parameters and body, Send with the real response, and the request as cURL. */
import { service } from "../shared/client";
import { ask, caller, canEncrypt, onCaller } from "./authorize";
import { code, copy, type Field, field, h } from "./dom";
import { curl, type Exchange, exchange, type Request } from "./exchange";
import { type Operation, operations, type Parameter, phrases } from "./operations";
import { fill, quoted } from "./samples";
import { known, learn, onValue, SHARED, setValue } from "./values";

type Control = HTMLInputElement | HTMLSelectElement;
const SHOWN = 200_000; // characters of a body

export function startForms(): void {
  for (const section of document.querySelectorAll<HTMLElement>("[data-op]")) {
    const id = section.dataset.op!;
    section.querySelector(".beside")!.prepend(new SendForm(id, operations[id]!, section).form);
  }
  // Examples with a public key get one on this deployment's curve: the service's own.
  addEventListener("focusin", takeServiceKey);
}

async function takeServiceKey(event: FocusEvent): Promise<void> {
  if (!(event.target as Element).closest(".try")) return;
  removeEventListener("focusin", takeServiceKey);
  try {
    setValue("publicKey", (await service()).key);
  } catch {
    // The example stays as it is.
  }
}

class SendForm {
  readonly form: HTMLFormElement;
  #operation: Operation;
  #parameters: [Parameter, Field<Control>][];
  #body: Field<HTMLTextAreaElement> | undefined;
  #isEdited = false;
  #out = h("div", { className: "stack", "aria-live": "polite" });
  #send: HTMLButtonElement;

  constructor(id: string, operation: Operation, section: HTMLElement) {
    this.#operation = operation;
    this.#parameters = operation.parameters.map((each) => [each, parameterField(id, each, section)]);
    const danger = operation.method === "DELETE" ? " danger" : "";
    this.#send = h("button", { type: "submit", className: `btn primary${danger}` }, "Send");
    this.form = h(
      "form",
      { className: "card try", noValidate: true, "aria-label": `Send ${id}` },
      h(
        "div",
        { className: "body stack" },
        ...this.#parameters.map(([, each]) => each.row),
        ...this.#bodyRows(id),
        h(
          "div",
          { className: "row" },
          this.#send,
          h("button", { type: "button", className: "btn", onclick: () => this.#copy() }, "Copy as cURL"),
          operation.secured && authorization(),
        ),
        this.#out,
      ),
    );
    // What the keys opened goes with them.
    if (operation.secured) onCaller(() => caller() || this.#out.replaceChildren());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#exchange();
    });
  }

  #bodyRows(id: string): HTMLElement[] {
    const { hasBody, bodies } = this.#operation;
    if (!hasBody) return [];
    const names = Object.keys(bodies);
    const text = h("textarea", { className: "input mono", spellcheck: false });
    this.#body = field(`${id}-body`, "Body", text);
    let chosen = names[0]!;
    const show = () => {
      text.value = JSON.stringify(bodies[chosen], withValues, 2);
      text.rows = Math.min(16, text.value.split("\n").length + 1);
      this.#isEdited = false;
    };
    text.addEventListener("input", () => {
      this.#isEdited = true;
    });
    // An edited body stays.
    onValue(() => this.#isEdited || show());
    show();
    if (names.length === 1) return [this.#body.row];
    const choice = h(
      "select",
      { className: "select" },
      ...names.map((name) => h("option", { value: name }, name)),
    );
    choice.addEventListener("input", () => {
      chosen = choice.value;
      show();
    });
    return [field(`${id}-example`, "Example", choice).row, this.#body.row];
  }

  /** Read the form; undefined where something is missing, which the form says. */
  #request(): Request | undefined {
    const wrong: Field<Control | HTMLTextAreaElement>[] = [];
    const query = new URLSearchParams();
    let path = this.#operation.path.slice(1);
    for (const [parameter, each] of this.#parameters) {
      const value = each.control.value.trim();
      if (parameter.in === "query") {
        if (value) query.set(parameter.name, value);
      } else path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
      if (value || !parameter.required) continue;
      each.complain(`${parameter.name} is required.`);
      wrong.push(each);
    }
    const body = this.#body?.control.value.trim();
    if (this.#body && (body || this.#operation.bodyRequired)) {
      try {
        JSON.parse(body!);
      } catch (error) {
        this.#body.complain(body ? `Not JSON: ${(error as Error).message}` : "The body is required.");
        wrong.push(this.#body);
      }
    }
    wrong[0]?.control.focus();
    if (wrong.length) return undefined;
    const { method, secured } = this.#operation;
    return { method, secured, path: query.size ? `${path}?${query}` : path, body: body || undefined };
  }

  async #exchange(): Promise<void> {
    const request = this.#request();
    if (!request) return;
    // Nothing is deleted without a press of its own: the box may change tenant and community.
    if (request.secured && !caller())
      return ask(request.method === "DELETE" ? undefined : () => void this.#exchange());
    this.#send.disabled = true;
    this.#send.textContent = "Sending";
    this.#out.replaceChildren(); // a response of before is none of this request's
    const client = caller();
    try {
      const made = await exchange(request, client);
      if (request.secured && caller() !== client) return; // the keys were forgotten meanwhile
      this.#out.replaceChildren(...shown(made));
      this.#learn(request, made);
    } catch (error) {
      this.#out.replaceChildren(note((error as Error).message));
    } finally {
      this.#send.disabled = false;
      this.#send.textContent = "Send";
    }
  }

  #learn(request: Request, { response, content }: Exchange): void {
    if (response.status >= 300) return;
    learn(content);
    const [last] = this.#parameters.at(-1) ?? [];
    if (request.method === "DELETE" && response.status === 204 && last) setValue(last.name, "");
  }

  async #copy(): Promise<void> {
    const request = this.#request();
    if (!request) return;
    if (request.secured && !caller()) return ask(() => void this.#copy());
    try {
      const text = await curl(request, caller());
      const said = (await copy(text)) ? "Copied." : "The browser did not allow to copy it.";
      const holds = request.secured ? " Its headers hold for two minutes, and for one request." : "";
      this.#out.replaceChildren(h("p", { className: "lim" }, said + holds), code(text));
    } catch (error) {
      this.#out.replaceChildren(note((error as Error).message));
    }
  }
}

/** A field of a parameter; the shared ones follow each other, and the section's samples follow it. */
function parameterField(id: string, parameter: Parameter, section: HTMLElement): Field<Control> {
  const { name, values, example } = parameter;
  const isShared = SHARED.includes(name);
  const control: Control = values
    ? h("select", { className: "select" }, ...values.map((each) => h("option", {}, each)))
    : h("input", { className: "input mono", autocomplete: "off", spellcheck: false, placeholder: example });
  // Ids come from responses; a value that means something everywhere is there from the start.
  if (parameter.in === "path" && !values && !/^(webhook|delivery|replay|key)Id$/.test(name))
    control.value = example;
  const made = field<Control>(`${id}-${name}`, parameter.required ? name : `${name} (optional)`, control);
  if (isShared)
    onValue((changed, value) => {
      if (changed !== name || control.value === value) return;
      control.value = value;
      made.complain();
    });
  control.addEventListener("input", () => {
    if (isShared) setValue(name, control.value.trim());
    else if (parameter.in === "path") fill(section, name, quoted(control.value.trim()));
  });
  return made;
}

/** Put the reader's tenant, community and ids into an example. */
function withValues(name: string, value: unknown): unknown {
  if (["tenantId", "communityId", "publicKey"].includes(name)) return known(name) || value;
  const webhookId = known("webhookId");
  const list = name === "webhookIds" && webhookId;
  if (list) return [webhookId];
  return (name === "webhookId" && webhookId) || value;
}

/** The words beside Send: the caller whose headers the request gets. */
function authorization(): HTMLElement {
  const words = h("span", { className: "meta" });
  const draw = () => {
    const client = caller();
    words.textContent = client ? `as ${client.keyId.slice(0, 6)}…` : "Authorize first";
    if (!canEncrypt()) words.textContent = "needs HTTPS";
  };
  onCaller(draw);
  draw();
  return words;
}

const note = (text: string) => h("div", { className: "note k-bad", role: "alert" }, text);

/** A response: status, time and size; the API's sentence; body and headers. */
function shown({ response, text, content, opened }: Exchange): Node[] {
  const isGood = response.status < 400;
  const words = `${response.status} ${phrases[response.status] ?? ""}`.trim();
  const facts = [`${Math.round(response.milliseconds)} ms`];
  facts.push(response.text ? `${response.text.length.toLocaleString("en")} characters` : "no body");
  if (opened) facts.push(`${opened} ${opened === 1 ? "envelope" : "envelopes"} opened`);
  const message = (content as { message?: unknown } | undefined)?.message;
  const retryAfter = response.headers.get("retry-after");
  return [
    h(
      "p",
      {},
      h("b", { className: `pill tinted ${isGood ? "k-ok" : "k-bad"}` }, words),
      h("span", { className: "meta" }, ` ${facts.join(", ")}`),
    ),
    ...(!isGood && typeof message === "string"
      ? [note(retryAfter ? `${message} (Retry-After: ${retryAfter} s)` : message)]
      : []),
    ...(text ? [code(text.length > SHOWN ? `${text.slice(0, SHOWN)}\n…` : text)] : []),
    h(
      "details",
      {},
      h("summary", {}, "Headers of the response"),
      code([...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n")),
    ),
  ];
}
