/** Tabs with a panel; the arrow keys go from one to the next. */
import type { ComponentChildren } from "preact";

export function Tabs<T extends string>(props: {
  label: string;
  tabs: readonly (readonly [T, string])[];
  value: T;
  onChange: (value: T) => void;
  children: ComponentChildren;
}) {
  const { tabs, value } = props;
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = tabs.findIndex(([name]) => name === value);
    const next = tabs[(at + by + tabs.length) % tabs.length]![0];
    props.onChange(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={props.label} onKeyDown={onKeyDown}>
        {tabs.map(([name, text]) => (
          <button
            type="button"
            role="tab"
            key={name}
            id={`tab-${name}`}
            aria-controls="pane"
            aria-selected={name === value}
            tabIndex={name === value ? 0 : -1}
            onClick={() => props.onChange(name)}
          >
            {text}
          </button>
        ))}
      </div>
      <div id="pane" role="tabpanel" aria-labelledby={`tab-${value}`} class="stack">
        {props.children}
      </div>
    </>
  );
}
