/** The form's sections, but the filter and the authentication. */
import { Icon } from "../../parts/icons";
import { Tokens } from "../../parts/tokens";
import { FieldRow, Input, Select } from "../../parts/ui";
import { APP_ID } from "../../state/session";
import type { Values } from "./model";

/** The part of the form that a section works on. */
export interface Form {
  values: Values;
  set: (change: Partial<Values>) => void;
  /** The sentences about the control with an id. */
  errors: (id: string) => string[] | undefined;
}

const CODES = /[\s,;]+/;

/** Return the numbers of the tokens that sentences such as "successCodes[0]: ..." are about. */
const wrongTokens = (sentences: string[] | undefined) =>
  sentences?.flatMap((each) => {
    const found = /^\w+(?:\.\w+)?\[(\d+)\]/.exec(each);
    return found ? [Number(found[1])] : [];
  });

/** A row of a field that has several texts. */
export function TokenRow(props: {
  form: Form;
  id: string;
  label: string;
  apiField: string;
  name: "tags" | "eventNames" | "scopes" | "successCodes" | "retryCodes";
  placeholder: string;
  hint?: string;
  suggested?: string[];
}) {
  const { form, id, name } = props;
  const error = form.errors(id);
  const isCodes = name === "successCodes" || name === "retryCodes";
  return (
    <FieldRow id={id} label={props.label} apiField={props.apiField} error={error} hint={props.hint}>
      <Tokens
        id={id}
        values={form.values[name]}
        onValues={(values) => form.set({ [name]: values })}
        placeholder={props.placeholder}
        separator={isCodes || name === "scopes" ? CODES : undefined}
        suggested={props.suggested}
        error={error}
        wrong={wrongTokens(error)}
        hasHint={Boolean(props.hint)}
        mono={name === "eventNames" || name === "scopes"}
      />
    </FieldRow>
  );
}

/** A switch with its word. */
function Switch(props: { id: string; isOn: boolean; onChange: (isOn: boolean) => void; text: string }) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        id={props.id}
        checked={props.isOn}
        aria-checked={props.isOn}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      {props.text}
    </label>
  );
}

export function WebhookSection({ form, disabledReason }: { form: Form; disabledReason?: string | null }) {
  const { values, set, errors } = form;
  return (
    <section>
      <header>
        <h2>Webhook</h2>
      </header>
      <FieldRow id="name" label="Name" apiField="name" error={errors("name")}>
        <Input
          id="name"
          value={values.name}
          onValue={(name) => set({ name })}
          error={errors("name")}
          placeholder="Order sync to ERP"
        />
      </FieldRow>
      <TokenRow
        form={form}
        id="tags"
        label="Tags"
        apiField="tags"
        name="tags"
        placeholder="Add a tag"
        hint="Tags filter the list. At most 20, each of 64 characters."
      />
      <FieldRow id="created-by" label="Created by" apiField="createdBy" error={errors("created-by")}>
        <Input
          id="created-by"
          value={values.createdBy}
          onValue={(createdBy) => set({ createdBy })}
          error={errors("created-by")}
          look="w-m"
          placeholder={`${APP_ID}, the caller`}
        />
      </FieldRow>
      <FieldRow id="enabled" label="State" apiField="disabled" error={errors("disabled")} group>
        <Switch
          id="disabled"
          isOn={!values.disabled}
          onChange={(isOn) => set({ disabled: !isOn })}
          text="Enabled"
        />
        <p class="hint">
          {values.disabled && disabledReason
            ? `The service disabled it: ${disabledReason}.`
            : "A disabled webhook gets no events. They are skipped, not held."}
        </p>
      </FieldRow>
      <FieldRow id="held" label="Deliveries" apiField="paused" error={errors("paused")} group>
        <Switch id="paused" isOn={values.paused} onChange={(paused) => set({ paused })} text="Paused" />
        <p class="hint">A paused webhook holds its deliveries, and sends them when it is resumed.</p>
      </FieldRow>
    </section>
  );
}

const METHODS = ["POST", "PUT", "PATCH"];

export function UrlRow({ form }: { form: Form }) {
  const { values, set, errors } = form;
  const found = [...(errors("method") ?? []), ...(errors("url") ?? [])];
  const error = found.length ? found : undefined;
  return (
    <FieldRow
      id="url"
      label="URL"
      apiField="api.type, api.url"
      error={error}
      hint="At most 2,048 characters, without a user name, a password or a fragment."
    >
      <div class="row nw">
        <Select
          id="method"
          label="Method"
          options={METHODS}
          value={values.method}
          onValue={(method) => set({ method })}
        />
        <Input
          id="url"
          value={values.url}
          onValue={(url) => set({ url })}
          error={error}
          describedBy="url-hint"
          look="mono"
          placeholder="https://"
        />
      </div>
    </FieldRow>
  );
}

/** Where the form is: under its webhook, or under all of them. */
export function Crumb({ id, name }: { id?: string; name?: string }) {
  return (
    <nav class="crumb" aria-label="Breadcrumb">
      <a href="#/webhooks">Webhooks</a>
      <Icon name="right" />
      {id ? (
        <a class="clip" href={`#/webhooks/${id}`}>
          {name ?? id}
        </a>
      ) : (
        "New"
      )}
    </nav>
  );
}
