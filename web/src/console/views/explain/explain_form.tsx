/** The left half of Explain: an event, or its id with name and time. */
import { useEffect } from "preact/hooks";
import { JsonArea } from "../../parts/json_area";
import { Button, FieldBlock, FieldError, Input, Select } from "../../parts/ui";
import { useEventNames } from "../../state/catalogue";
import { samplesFor } from "../../state/samples";
import type { Session } from "../../state/session";
import { type Asked, isEvent } from "./explanation";

export function ExplainForm(props: {
  session: Session;
  fields: Asked;
  problems: Record<string, string | undefined>;
  isBusy: boolean;
  onChange: (fields: Asked) => void;
  onExplain: (fields: Asked) => void;
}) {
  const { fields, problems, onChange } = props;
  const samples = samplesFor(props.session.scope);
  const isId = Boolean(fields.text.trim()) && !isEvent(fields.text);
  const eventProblem = problems.event ?? problems.eventId ?? (isId ? undefined : problems.eventName);
  const first = eventProblem
    ? "event"
    : isId && problems.eventName
      ? "name"
      : problems.occurredAt
        ? "at"
        : "";
  useEffect(() => {
    if (first) document.getElementById(first)?.focus();
  }, [first, eventProblem, problems.eventName, problems.occurredAt]);
  const explain = () => {
    if (!props.isBusy) props.onExplain(fields);
  };
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        explain();
      }}
    >
      <div class="row">
        <label for="event">
          <b>Event</b>, or its id
        </label>
        <span class="push row tight">
          <label class="meta" for="sample">
            Sample
          </label>
          <Select
            id="sample"
            value={samples.find((each) => each.event === fields.text)?.name ?? ""}
            options={[["", "none"], ...samples.map((each) => [each.name, each.name] as const)]}
            onValue={(name) =>
              onChange({
                text: samples.find((each) => each.name === name)?.event ?? "",
                name: "",
                at: "",
              })
            }
          />
        </span>
      </div>
      <JsonArea
        id="event"
        rows={isId ? 2 : 24}
        value={fields.text}
        error={eventProblem}
        onValue={(text) => onChange({ ...fields, text })}
        onSend={explain}
      />
      <FieldError id="event" text={eventProblem} />
      {isId && <IdFields {...props} />}
      <div class="row">
        <Button type="submit" look="primary" busy={props.isBusy && "Explaining"}>
          Explain
        </Button>
        <span class="meta">Ctrl + Enter</span>
      </div>
    </form>
  );
}

/** An id alone does not say which webhooks listen, nor when the event was. */
function IdFields(props: Parameters<typeof ExplainForm>[0]) {
  const { fields, problems, onChange } = props;
  const names = useEventNames(props.session);
  return (
    <>
      <FieldBlock id="name" label="Event name" error={problems.eventName}>
        <Input
          id="name"
          look="mono"
          list="known-names"
          value={fields.name}
          error={problems.eventName}
          onValue={(name) => onChange({ ...fields, name })}
        />
        <datalist id="known-names">
          {names.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      </FieldBlock>
      <FieldBlock
        id="at"
        label="Time of the event (optional)"
        error={problems.occurredAt}
        hint="The event's own time, such as 2026-01-15T09:30:00.250Z. Id and time together find its deliveries."
      >
        <Input
          id="at"
          look="mono"
          value={fields.at}
          error={problems.occurredAt}
          describedBy="at-hint"
          onValue={(at) => onChange({ ...fields, at })}
        />
      </FieldBlock>
    </>
  );
}
