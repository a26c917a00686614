/** Which events are sent: groups of conditions on an event's data. */
import { Fragment } from "preact";
import { Button, FieldError, FieldRow, IconButton, Input, Select } from "../../parts/ui";
import { focusControl } from "./field_errors";
import type { Form } from "./fields";
import type { Condition } from "./model";

const EMPTY: Condition = { field: "", value: "" };

export function FilterRow({ form }: { form: Form }) {
  const { values, set, errors } = form;
  const { groups } = values;
  const change = (number: number, group: Condition[]) =>
    set({
      groups: groups.flatMap((each, at) => (at === number ? (group.length ? [group] : []) : [each])),
    });
  /** Show a new row, and go there. */
  const goOn = (next: Condition[][], id: string) => {
    set({ groups: next });
    requestAnimationFrame(() => focusControl(id));
  };
  return (
    <FieldRow
      id="query"
      label="Filter"
      apiField="query, criteria"
      error={errors("query")}
      group
      hint={
        <>
          A dot reaches into objects and through arrays: <code>items.sku</code> holds when any item has it;{" "}
          <code>items.0.sku</code> looks at the first. Values are JSON: 1 is not "1". At most 20 groups of 20
          conditions, 8 KB in all.
        </>
      }
    >
      {groups.length ? (
        <div class="row">
          <span>Send when</span>
          <Select
            id="criteria"
            label="Criteria"
            options={[
              ["ANY", "any group"],
              ["ALL", "every group"],
            ]}
            value={values.criteria}
            onValue={(criteria) => set({ criteria })}
          />
          <span>holds. Inside a group every condition must hold.</span>
        </div>
      ) : (
        <p class="ink2">No condition: every event of these names is sent.</p>
      )}
      {groups.map((group, number) => (
        <Fragment key={number}>
          {number > 0 && <span class="joiner">{values.criteria === "ALL" ? "and" : "or"}</span>}
          <Group
            form={form}
            number={number}
            group={group}
            onGroup={(next) => change(number, next)}
            onAdd={() =>
              goOn(
                groups.map((each, at) => (at === number ? [...each, EMPTY] : each)),
                `query-${number}-${group.length}-field`,
              )
            }
          />
        </Fragment>
      ))}
      <div>
        <Button
          look="sm"
          icon="plus"
          onClick={() => goOn([...groups, [EMPTY]], `query-${groups.length}-0-field`)}
        >
          {groups.length ? "Group" : "Condition"}
        </Button>
      </div>
    </FieldRow>
  );
}

function Group(props: {
  form: Form;
  number: number;
  group: Condition[];
  onGroup: (group: Condition[]) => void;
  onAdd: () => void;
}) {
  const { form, number, group, onGroup } = props;
  const id = `query-${number}`;
  const change = (row: number, next: Partial<Condition>) =>
    onGroup(group.map((each, at) => (at === row ? { ...each, ...next } : each)));
  const input = (row: number, name: keyof Condition, label: string) => {
    const own = `${id}-${row}-${name}`;
    return (
      <Input
        id={own}
        value={group[row]![name]}
        onValue={(value) => change(row, { [name]: value })}
        error={form.errors(own)}
        describedBy={form.errors(id) && `${id}-error`}
        look="mono"
        label={`${label}, group ${number + 1}, condition ${row + 1}`}
      />
    );
  };
  return (
    <div class="group" role="group" aria-label={`Group ${number + 1}`} data-group={id}>
      {group.map((_, row) => (
        <div class="condition" key={row}>
          <div class="cond">
            {input(row, "field", "Field of data")}
            <span class="meta">is</span>
            {input(row, "value", "Value, as JSON")}
            <IconButton
              icon="x"
              label={`Remove condition ${row + 1} of group ${number + 1}`}
              look="quiet"
              onClick={() => {
                onGroup(group.filter((_, at) => at !== row));
                requestAnimationFrame(() => focusControl(group.length > 1 ? id : "query"));
              }}
            />
          </div>
          <FieldError id={`${id}-${row}-field`} text={form.errors(`${id}-${row}-field`)} />
          <FieldError id={`${id}-${row}-value`} text={form.errors(`${id}-${row}-value`)} />
        </div>
      ))}
      <FieldError id={id} text={form.errors(id)} />
      <div>
        <Button
          look="sm quiet"
          icon="plus"
          label={`Add a condition to group ${number + 1}`}
          onClick={props.onAdd}
        >
          Condition
        </Button>
      </div>
    </div>
  );
}
