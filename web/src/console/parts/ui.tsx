/** Small parts that every view uses. Looks: styles/controls.css, styles/panels.css. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Outcome, State } from "../state/types";
import { ago, seconds, utc } from "../text/format";
import { copyText } from "./clipboard";
import { Icon, type IconName } from "./icons";

type Tone = "ok" | "warn" | "bad" | "held" | "off";
export type Kind = State | Outcome | "matched" | "filtered" | "unknown";

export const KINDS: Record<Kind, { tone: Tone; icon: IconName; word: string }> = {
  healthy: { tone: "ok", icon: "ok", word: "Healthy" },
  slow: { tone: "warn", icon: "clock", word: "Slow" },
  failing: { tone: "bad", icon: "tri", word: "Failing" },
  held: { tone: "held", icon: "pause", word: "Held" },
  disabled: { tone: "off", icon: "off", word: "Disabled" },
  paused: { tone: "off", icon: "pause", word: "Paused" },
  delivered: { tone: "ok", icon: "ok", word: "Delivered" },
  retrying: { tone: "warn", icon: "retry", word: "Retrying" },
  dead: { tone: "bad", icon: "dead", word: "Dead" },
  skipped: { tone: "off", icon: "skip", word: "Skipped" },
  matched: { tone: "ok", icon: "ok", word: "Matched" },
  filtered: { tone: "off", icon: "filter", word: "Filtered" },
  unknown: { tone: "off", icon: "help", word: "Unknown" },
};
/** How a kind is shown; one of a newer service by its name. */
export function lookOf(kind: string): { tone: Tone; icon: IconName; word: string } {
  if (Object.hasOwn(KINDS, kind)) return KINDS[kind as Kind];
  return { tone: "off", icon: "help", word: kind.charAt(0).toUpperCase() + kind.slice(1) };
}
const QUIET: Kind[] = ["healthy", "delivered", "matched"];

/** A state's label: quiet while all is well. */
/** `look` plain: without a tint, as a number among numbers. */
export function Pill({ kind, text, look }: { kind: Kind; text?: string; look?: "plain" }) {
  const { tone, icon, word } = lookOf(kind);
  const isTinted = look !== "plain" && !QUIET.includes(kind);
  return (
    <span class={`pill k-${tone} ${isTinted ? "tinted" : ""}`}>
      <Icon name={icon} />
      {text ?? word}
    </span>
  );
}

interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName;
  /** primary, quiet, danger, sm */
  look?: string;
  onClick?: (event: MouseEvent) => void;
  href?: string;
  disabled?: boolean;
  /** The verb that is shown with a spinner while it works: "Sending". */
  busy?: string | false;
  type?: "button" | "submit";
  pressed?: boolean;
  label?: string;
  id?: string;
}

export function Button({ children, icon, look = "", href, busy, type = "button", ...rest }: ButtonProps) {
  const inside = (
    <>
      {busy ? <Icon name="wait" className="spin" /> : icon && <Icon name={icon} />}
      {busy || children}
    </>
  );
  const shared = { class: `btn ${look}`, id: rest.id, onClick: rest.onClick, "aria-label": rest.label };
  if (href !== undefined)
    return (
      <a href={href} {...shared}>
        {inside}
      </a>
    );
  return (
    <button type={type} disabled={rest.disabled || Boolean(busy)} aria-pressed={rest.pressed} {...shared}>
      {inside}
    </button>
  );
}

export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick: () => void;
  look?: string;
  disabled?: boolean;
  expanded?: boolean;
}) {
  return (
    <button
      type="button"
      class={`btn icon ${props.look ?? "quiet sm"}`}
      aria-label={props.label}
      aria-expanded={props.expanded}
      data-tip={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

/** Copies a text; `what` names it: "webhook id". */
export function Copy({ text, what }: { text: string | (() => string | Promise<string>); what: string }) {
  const copy = async () => copyText(typeof text === "string" ? text : await text(), what);
  return <IconButton icon="copy" label={`Copy ${what}`} onClick={copy} />;
}

/** A relative time that keeps up; the exact one in UTC on hover and focus. */
export function When({ at, fine = false }: { at: string | number; fine?: boolean }) {
  const time = typeof at === "number" ? at : Date.parse(at);
  useTick();
  if (Number.isNaN(time)) return <span>–</span>;
  return (
    <time class="nowrap" dateTime={new Date(time).toISOString()} data-tip={utc(time)}>
      {ago(time, { fine })}
    </time>
  );
}

/** The seconds until a time, counting down. */
export function Countdown({ until }: { until: number }) {
  useTick();
  // A timer is not read out at each second, even inside an alert.
  return <b role="timer">{seconds(Math.max(0, Math.ceil((until - Date.now()) / 1000)))}</b>;
}

const ticking = new Set<() => void>();
setInterval(() => {
  for (const each of ticking) each();
}, 1000);

/** Draw again every second. */
export function useTick(): void {
  const [, redraw] = useState(0);
  useEffect(() => {
    const tick = () => redraw((count) => count + 1);
    ticking.add(tick);
    return () => {
      ticking.delete(tick);
    };
  }, []);
}

export function Note(props: {
  tone?: Tone;
  icon: IconName;
  children: ComponentChildren;
  actions?: ComponentChildren;
}) {
  return (
    <div
      class={`note ${props.tone ? `k-${props.tone}` : ""}`}
      role={props.tone === "bad" ? "alert" : undefined}
    >
      <Icon name={props.icon} />
      <div>{props.children}</div>
      {props.actions}
    </div>
  );
}

/** A view's heading. It takes the focus when the view is new (app.tsx). */
export function Head(props: {
  title: ComponentChildren;
  sub?: ComponentChildren;
  crumb?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <div class="head">
      <div>
        {props.crumb}
        <h1 tabIndex={-1}>{props.title}</h1>
        {props.sub && <p class="sub">{props.sub}</p>}
      </div>
      {props.children && <div class="row acts">{props.children}</div>}
    </div>
  );
}

/** Choices of which one is on. */
export function Segments<T extends string>(props: {
  label: string;
  options: readonly (readonly [T, string])[];
  value: T;
  onChange: (value: T) => void;
}) {
  return (
    <div class="seg" role="group" aria-label={props.label}>
      {props.options.map(([value, text]) => (
        <button
          type="button"
          key={value}
          aria-pressed={value === props.value}
          onClick={() => props.onChange(value)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

interface InputProps {
  id: string;
  value: string;
  onValue?: (value: string) => void;
  /** When Enter is pressed, or the field is left, after a change. */
  onCommit?: (value: string) => void;
  type?: "text" | "password" | "datetime-local";
  /** The sentence, or the sentences, that FieldRow or FieldBlock shows beside it. */
  error?: string | string[];
  /** mono, num, w-s, w-m */
  look?: string;
  placeholder?: string;
  label?: string;
  describedBy?: string;
  list?: string;
  inputMode?: "numeric";
  readOnly?: boolean;
  /** `/` goes there. */
  isSearch?: boolean;
}

export function Input(props: InputProps) {
  const { id, error, describedBy } = props;
  // Preact's types want the kind as a literal.
  const kind = { type: props.type ?? "text" } as { type: "text" };
  return (
    <input
      id={id}
      {...kind}
      class={`input ${props.look ?? ""}`}
      value={props.value}
      placeholder={props.placeholder}
      {...{ list: props.list }}
      inputMode={props.inputMode}
      readOnly={props.readOnly}
      autocomplete="off"
      spellcheck={false}
      data-search={props.isSearch}
      aria-label={props.label}
      aria-invalid={error ? "true" : undefined}
      aria-describedby={[error && `${id}-error`, describedBy].filter(Boolean).join(" ") || undefined}
      onInput={(event) => props.onValue?.(event.currentTarget.value)}
      onChange={(event) => props.onCommit?.(event.currentTarget.value)}
    />
  );
}

export function Select(props: {
  id: string;
  label?: string;
  options: readonly (string | readonly [string, string])[];
  value: string;
  onValue: (value: string) => void;
}) {
  return (
    <select
      class="select"
      id={props.id}
      aria-label={props.label}
      value={props.value}
      onChange={(event) => props.onValue(event.currentTarget.value)}
    >
      {props.options.map((each) => {
        const [value, text] = typeof each === "string" ? [each, each] : each;
        return (
          <option key={value} value={value} selected={value === props.value}>
            {text}
          </option>
        );
      })}
    </select>
  );
}

/** The sentence beside a wrong field; of several, each one. */
export function FieldError({ id, text }: { id: string; text?: string | string[] }) {
  if (!text?.length) return null;
  return (
    <div id={`${id}-error`}>
      {[text].flat().map((each) => (
        <p class="err" key={each}>
          <Icon name="tri" />
          <span>{each}</span>
        </p>
      ))}
    </div>
  );
}

/** Label above, control below, and the sentence where it is wrong. */
export function FieldBlock(props: {
  id: string;
  label: ComponentChildren;
  error?: string | string[];
  hint?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <div class="lab1">
      <label for={props.id}>{props.label}</label>
      {props.children}
      <FieldError id={props.id} text={props.error} />
      {props.hint && (
        <p class="hint" id={`${props.id}-hint`}>
          {props.hint}
        </p>
      )}
    </div>
  );
}

/** Label left with the API's name, control right. `group`: several controls share the label. */
export function FieldRow(props: {
  id: string;
  label: string;
  apiField?: string;
  error?: string | string[];
  hint?: ComponentChildren;
  group?: boolean;
  children: ComponentChildren;
}) {
  const apiField = props.apiField && <small>{props.apiField}</small>;
  const inside = (
    <>
      {props.children}
      <FieldError id={props.id} text={props.error} />
      {props.hint && (
        <p class="hint" id={`${props.id}-hint`}>
          {props.hint}
        </p>
      )}
    </>
  );
  if (props.group)
    return (
      <div class="f">
        <div class="lab" id={`${props.id}-label`}>
          {props.label}
          {apiField}
        </div>
        <div role="group" aria-labelledby={`${props.id}-label`}>
          {inside}
        </div>
      </div>
    );
  return (
    <div class="f">
      <label for={props.id}>
        {props.label}
        {apiField}
      </label>
      <div>{inside}</div>
    </div>
  );
}

/** Rows that wait for the first load; shown after 150 ms. */
export function SkeletonRows({ columns, count }: { columns: string[]; count: number }) {
  const [isShown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      {Array.from({ length: isShown ? count : 0 }, (_, row) => (
        <tr key={row}>
          {columns.map((each, column) => (
            <td key={column}>
              <span class={`sk ${each}`} />
            </td>
          ))}
        </tr>
      ))}
    </>
  );
}
