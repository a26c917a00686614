/** Pages of a list by their numbers: `?page=&size=` of the address. */
import { useEffect, useState } from "preact/hooks";
import { go, link } from "../state/router";
import { number } from "../text/format";
import { IconButton, Input, Select } from "./ui";

export function Pager(props: {
  /** The page that is wanted, from 1: that one's rows may be on their way. */
  page: number;
  size: number;
  sizes: readonly string[];
  /** The first and the last row that are shown, from 1. */
  first: number;
  last: number;
  total: number;
  isExact: boolean;
}) {
  const { page, size, total } = props;
  const pages = Math.max(1, Math.ceil(total / size));
  const turn = (to: number) => {
    const target = Math.min(pages, Math.max(1, to));
    // A button that becomes disabled would lose the focus.
    if (target === 1 || target === pages) document.getElementById("page")?.focus({ preventScroll: true });
    if (target === page) return;
    scrollTo(0, 0);
    go(link({ page: target === 1 ? "" : String(target) }));
  };
  const [text, setText] = useState("");
  useEffect(() => setText(String(page)), [page]);
  const settle = () => {
    const wanted = /^\s*\d+\s*$/.test(text) ? Math.min(pages, Math.max(1, Number(text))) : page;
    setText(String(wanted));
    turn(wanted);
  };
  return (
    <nav class="pager" aria-label="Pages">
      <span>
        {number(props.first)}–{number(props.last)} of {!props.isExact && "at least "}
        {number(total)}
      </span>
      <label class="row tight push" for="size">
        <span class="meta">Rows</span>
        <Select
          id="size"
          options={props.sizes}
          value={String(size)}
          onValue={(value) => go(link({ size: value === props.sizes[0] ? "" : value, page: "" }))}
        />
      </label>
      <span class="row tight nw turn">
        <label class="row tight nw" for="page">
          <span class="meta">Page</span>
          <Input
            id="page"
            look="num"
            inputMode="numeric"
            label="Page number"
            value={text}
            onValue={setText}
            onCommit={settle}
          />
        </label>
        <span class="meta nowrap">of {number(pages)}</span>
        <IconButton
          icon="left"
          label="Previous page"
          look="sm"
          disabled={page <= 1}
          onClick={() => turn(page - 1)}
        />
        <IconButton
          icon="right"
          label="Next page"
          look="sm"
          disabled={page >= pages}
          onClick={() => turn(page + 1)}
        />
      </span>
    </nav>
  );
}
