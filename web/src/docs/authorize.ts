/** The Authorize box: a key pair and a license, in this page's memory and nowhere else. */
import { ApiError, Client, service } from "../shared/client";
import { newPair } from "../shared/protocol";
import { type Field, field, h } from "./dom";
import { known, setValue } from "./values";

let client: Client | undefined;
/** Counts the times that keys were forgotten: a try that began before gives none. */
let forgotten = 0;
const listeners = new Set<() => void>();
let waiting: (() => void) | undefined;

export const caller = (): Client | undefined => client;

/** WebCrypto is there on HTTPS and localhost alone. */
export const canEncrypt = (): boolean => Boolean(globalThis.crypto?.subtle);

export function onCaller(listener: () => void): void {
  listeners.add(listener);
}

function become(next: Client | undefined): void {
  client = next;
  button.textContent = client ? `Authorized: ${client.keyId.slice(0, 6)}…` : "Authorize";
  for (const each of listeners) each();
}

const input = (type = "text", properties = {}) =>
  h("input", { type, className: "input mono", autocomplete: "off", spellcheck: false, ...properties });

const fields = {
  keyId: field("auth-keyId", "keyId", input(), "Your public key, base64 of X and Y."),
  keySecret: field(
    "auth-keySecret",
    "keySecret",
    input("password"),
    "Your private key, base64. It stays in this page: the service never gets it.",
  ),
  license: field("auth-license", "license", input("password"), "It is sent encrypted, with each request."),
  tenantId: field("auth-tenantId", "tenantId (optional)", input()),
  communityId: field(
    "auth-communityId",
    "communityId (optional)",
    input(),
    "Tenant and community fill the forms. With both, the license is tried there.",
  ),
} satisfies Record<string, Field<HTMLInputElement>>;
type Name = keyof typeof fields;

const said = h("div", { role: "alert" });
const status = h("p", { className: "hint", role: "status" });
const submit = h("button", { className: "btn primary", type: "submit" }, "Authorize") as HTMLButtonElement;
submit.setAttribute("form", "auth-form");
const form = h(
  "form",
  { id: "auth-form", className: "in", noValidate: true },
  said,
  fields.keyId.row,
  fields.keySecret.row,
  h(
    "div",
    { className: "row" },
    h("button", { type: "button", className: "btn sm", onclick: make }, "Make a key pair"),
    status,
  ),
  fields.license.row,
  h("div", { className: "two" }, fields.tenantId.row, fields.communityId.row),
);
const dialog = h(
  "dialog",
  { "aria-labelledby": "auth-title" },
  h("header", {}, h("h2", { id: "auth-title" }, "Authorize")),
  form,
  h(
    "footer",
    {},
    h("button", { type: "button", className: "btn quiet", onclick: forget }, "Forget"),
    h("button", { type: "button", className: "btn", onclick: () => dialog.close() }, "Close"),
    submit,
  ),
);
form.addEventListener("submit", accept);
dialog.addEventListener("close", () => {
  waiting = undefined;
});

const button = h("button", { type: "button", className: "btn primary", onclick: () => ask() }, "Authorize");

/** Return the button that opens the box. */
export function authorizeButton(): HTMLElement {
  document.body.append(dialog);
  if (!canEncrypt()) {
    button.disabled = true;
    button.textContent = "Authorize needs HTTPS";
  }
  return button;
}

/** Open the box. `then`: what waits for the keys, done once they are there. */
export function ask(then?: () => void): void {
  waiting = then;
  for (const name of ["tenantId", "communityId"] as const) fields[name].control.value ||= known(name) ?? "";
  if (!dialog.open) dialog.showModal();
  fields.keyId.control.focus();
}

function say(sentence = ""): void {
  said.replaceChildren(...(sentence ? [h("div", { className: "note k-bad" }, sentence)] : []));
}

function complain(name: Name, sentence: string): void {
  fields[name].complain(sentence);
  fields[name].control.focus();
}

/** Show an error beside the field that it is about. */
function place(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ApiError) {
    const about: Record<string, Name> = { licensekey: "license", publickey: "keyId" };
    const name = about[message.split(":")[0]!] ?? (error.status === 403 ? "tenantId" : undefined);
    if (name) complain(name, message);
    else say(message);
  } else complain(/^the private key/.test(message) ? "keySecret" : "keyId", sentence(message));
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

async function accept(event: Event): Promise<void> {
  event.preventDefault();
  say();
  status.textContent = "";
  const given = Object.fromEntries(
    Object.entries(fields).map(([name, each]) => [name, each.control.value.trim()]),
  ) as Record<Name, string>;
  for (const each of Object.values(fields)) each.complain();
  const missing = (["license", "keySecret", "keyId"] as const).filter((name) => !given[name]);
  for (const name of missing) complain(name, `${name} is required.`);
  if (missing.length) return;
  const before = forgotten;
  submit.disabled = true;
  submit.textContent = "Checking";
  try {
    const made = await Client.of(given, "docs");
    await attempt(made, given.tenantId, given.communityId);
    if (before !== forgotten) return;
    for (const name of ["tenantId", "communityId"] as const) if (given[name]) setValue(name, given[name]);
    become(made);
    const next = waiting; // a box that is closed without keys forgets it
    dialog.close();
    next?.();
  } catch (error) {
    if (before !== forgotten) return;
    become(undefined);
    place(error);
  } finally {
    submit.disabled = false;
    submit.textContent = "Authorize";
  }
}

/** Try the license where it should reach. Throws ApiError where the API refuses it. */
async function attempt(made: Client, tenantId: string, communityId: string): Promise<void> {
  const scoped = tenantId && communityId;
  const path = scoped
    ? `tenant/${encodeURIComponent(tenantId)}/community/${encodeURIComponent(communityId)}/health`
    : "communities?size=1";
  try {
    await made.response("GET", path);
  } catch (error) {
    // Without tenant and community only a license of all of them reaches: any other is known all the same.
    if (!scoped && error instanceof ApiError && error.status === 403) return;
    throw error;
  }
}

async function make(): Promise<void> {
  say();
  try {
    const pair = await newPair((await service()).curve);
    for (const name of ["keyId", "keySecret"] as const) {
      fields[name].control.value = pair[name];
      fields[name].complain();
    }
    status.textContent = "Made in this page. It is gone when the page is closed.";
  } catch (error) {
    say((error as Error).message);
  }
}

function forget(): void {
  forgotten += 1;
  for (const each of Object.values(fields)) {
    each.control.value = "";
    each.complain();
  }
  say();
  status.textContent = "Forgotten.";
  become(undefined);
}
