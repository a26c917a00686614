/** A choice among a community's webhooks, of which there may be thousands: typing finds them by name. */
import { useEffect, useRef, useState } from "preact/hooks";
import { asApiError } from "../state/load";
import { learn, useNames } from "../state/names";
import { inScope, type Session } from "../state/session";
import type { Webhook, WebhookPage } from "../state/types";
import { host } from "../text/format";
import { Icon } from "./icons";
import { IconButton } from "./ui";

const SHOWN = 10;
const TYPING_MS = 200;

interface PickerProps {
  session: Session;
  id: string;
  /** The id of the webhook that is chosen, "" for none. */
  value: string;
  onValue: (webhookId: string) => void;
  /** The label where no <label> names it. */
  label?: string;
  placeholder: string;
  error?: string;
}

export function WebhookPicker(props: PickerProps) {
  const { session, id, value } = props;
  const nameOf = useNames(session, value ? [value] : []);
  const input = useRef<HTMLInputElement>(null);
  const [typed, type] = useState<string>();
  const [active, activate] = useState(0);
  const isOpen = typed !== undefined;
  const { found, said } = useFound(session, typed);

  const close = () => type(undefined);
  const open = () => {
    if (isOpen) return;
    type("");
    activate(0);
  };
  const choose = (webhookId: string) => {
    close();
    if (webhookId !== value) props.onValue(webhookId);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) return open();
      const by = event.key === "ArrowDown" ? 1 : -1;
      activate(Math.max(0, Math.min(found.length - 1, active + by)));
    } else if (event.key === "Enter" && isOpen) {
      event.preventDefault();
      const webhook = found[active];
      if (webhook) choose(webhook._id);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault(); // the dialog around it stays
      event.stopPropagation();
      close();
    }
  };
  return (
    <div class="picker">
      <input
        ref={input}
        id={id}
        class="input"
        role="combobox"
        aria-label={props.label}
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && found[active] ? `${id}-${active}` : undefined}
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={props.error ? `${id}-error` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder={isOpen && value ? nameOf(value) : props.placeholder}
        value={isOpen ? typed : value ? nameOf(value) : ""}
        onClick={open}
        onInput={(event) => {
          type(event.currentTarget.value);
          activate(0);
        }}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      {value && !isOpen ? (
        <IconButton
          icon="x"
          label="Any webhook"
          onClick={() => {
            choose("");
            input.current?.focus();
          }}
        />
      ) : (
        <Icon name="down" />
      )}
      <div class="pop" hidden={!isOpen}>
        <div role="listbox" id={`${id}-list`} aria-label="Webhooks">
          {found.map((each, index) => (
            <div
              key={each._id}
              role="option"
              id={`${id}-${index}`}
              tabIndex={-1}
              aria-selected={index === active}
              onMouseDown={(event) => event.preventDefault()} // the input keeps the focus
              onPointerUp={() => choose(each._id)}
            >
              <span class="clip">{each.name}</span>
              <span class="meta mono clip">{host(each.api.url)}</span>
            </div>
          ))}
        </div>
        {said && <p class="meta">{said}</p>}
      </div>
    </div>
  );
}

/** Load the webhooks whose names begin with the typed text; undefined: nothing is asked. */
function useFound(session: Session, typed: string | undefined): { found: Webhook[]; said?: string } {
  const [state, set] = useState<{ found: Webhook[]; said?: string }>({ found: [] });
  const isOpen = typed !== undefined;
  useEffect(() => {
    if (!isOpen) return;
    const abort = new AbortController();
    const load = async () => {
      const body = { pSize: SHOWN, ...(typed && { name: typed }) };
      const path = inScope(session.scope, "webhooks", "fetch");
      try {
        const page = await session.client.call<WebhookPage>("POST", path, body, abort.signal);
        learn(page.data);
        set({ found: page.data, said: described(page, typed) });
      } catch (failure) {
        if (!abort.signal.aborted) set({ found: [], said: asApiError(failure).message });
      }
    };
    const timer = setTimeout(load, typed ? TYPING_MS : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [isOpen, typed]);
  return state;
}

function described({ data, page }: WebhookPage, typed: string): string | undefined {
  if (!data.length) return typed ? `No name begins with “${typed}”` : "No webhooks yet";
  return page.total > data.length ? "Type the beginning of a name to find others" : undefined;
}
