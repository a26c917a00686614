/** A modal dialog: the browser's own, which keeps the focus inside and closes on Escape. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { IconButton } from "./ui";

export function Dialog(props: {
  title: ComponentChildren;
  onClose: () => void;
  footer: ComponentChildren;
  children: ComponentChildren;
  /** With it the dialog is a form, and a button of type submit calls it. */
  onSubmit?: () => void;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement;
    dialog.showModal();
    const first =
      dialog.querySelector<HTMLElement>(".in :is(input, select, textarea):not([readonly])") ??
      dialog.querySelector<HTMLElement>("footer .primary:not([disabled])");
    first?.focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const inside = (
    <>
      <header>
        <h2 id="dialog-title">{props.title}</h2>
        <span class="push">
          <IconButton icon="x" label="Close" onClick={props.onClose} />
        </span>
      </header>
      <div class="in">{props.children}</div>
      <footer>{props.footer}</footer>
    </>
  );
  return (
    <dialog
      ref={ref}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      {props.onSubmit ? (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            props.onSubmit?.();
          }}
        >
          {inside}
        </form>
      ) : (
        inside
      )}
    </dialog>
  );
}
