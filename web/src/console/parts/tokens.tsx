/** A field of several short texts: Enter or Tab adds the typed one, Backspace in an empty field takes the last away. */
import { useRef, useState } from "preact/hooks";

interface TokensProps {
  id: string;
  values: string[];
  onValues: (values: string[]) => void;
  placeholder: string;
  /** Ends a text besides Enter and a new line: a comma where no text has one. */
  separator?: RegExp;
  /** Texts that are suggested. */
  suggested?: string[];
  error?: string | string[];
  /** Numbers of the texts that are wrong. */
  wrong?: number[];
  hasHint?: boolean;
  mono?: boolean;
}

export function Tokens(props: TokensProps) {
  const { id, values, separator } = props;
  const [typed, type] = useState("");
  const input = useRef<HTMLInputElement>(null);

  const add = (text: string) => {
    const lines = text.split(/[\r\n]+/).flatMap((line) => (separator ? line.split(separator) : [line]));
    const more = lines.map((each) => each.trim()).filter((each) => each && !values.includes(each));
    type("");
    if (input.current) input.current.value = ""; // also where the text before was empty, and nothing is drawn anew
    if (more.length) props.onValues([...values, ...new Set(more)]);
  };
  const remove = (at: number) => {
    props.onValues(values.filter((_, number) => number !== at));
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      add(typed);
      // Enter adds, and does not send the form; Ctrl+Enter does both.
      if (!event.ctrlKey && !event.metaKey) event.preventDefault();
    } else if (event.key === "Tab") {
      add(typed);
    } else if (event.key === "Backspace" && !typed && values.length) {
      event.preventDefault();
      props.onValues(values.slice(0, -1));
    }
  };
  return (
    <div class={`tokens ${props.error?.length ? "bad" : ""} ${props.mono ? "mono" : ""}`}>
      {values.map((value, at) => (
        <span class={`tag x ${props.wrong?.includes(at) ? "wrong" : ""}`} key={value}>
          <span>{value}</span>
          <button type="button" aria-label={`Remove ${value}`} onClick={() => remove(at)}>
            ×
          </button>
        </span>
      ))}
      <input
        ref={input}
        id={id}
        value={typed}
        placeholder={props.placeholder}
        {...{ list: props.suggested?.length ? `${id}-list` : undefined }}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={props.error?.length ? "true" : undefined}
        aria-describedby={
          [props.error?.length && `${id}-error`, props.hasHint && `${id}-hint`].filter(Boolean).join(" ") ||
          undefined
        }
        onInput={(event) => {
          const text = event.currentTarget.value;
          // A suggestion was chosen, not typed.
          const isChosen = event.inputType === "insertReplacementText" && props.suggested?.includes(text);
          if (isChosen || separator?.test(text)) add(text);
          else type(text);
        }}
        onPaste={(event) => {
          const text = event.clipboardData?.getData("text") ?? "";
          if (!/[\r\n]/.test(text.trim()) && !separator?.test(text.trim())) return;
          event.preventDefault();
          add(typed + text);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => add(typed)}
      />
      {Boolean(props.suggested?.length) && (
        <datalist id={`${id}-list`}>
          {props.suggested!.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </div>
  );
}
