/** A text of several lines: JSON, as it is typed. */

export function JsonArea(props: {
  id: string;
  value: string;
  onValue: (value: string) => void;
  rows: number;
  error?: string;
  describedBy?: string;
  /** Ctrl + Enter, or Command + Enter. */
  onSend?: () => void;
}) {
  const { id, error, describedBy } = props;
  return (
    <textarea
      id={id}
      class="input mono"
      rows={props.rows}
      spellcheck={false}
      autocomplete="off"
      value={props.value}
      aria-invalid={error ? "true" : undefined}
      aria-describedby={[error && `${id}-error`, describedBy].filter(Boolean).join(" ") || undefined}
      onInput={(event) => props.onValue(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        props.onSend?.();
      }}
    />
  );
}
