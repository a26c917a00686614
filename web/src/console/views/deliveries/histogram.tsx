/** The deliveries that are loaded, over time by outcome. A drag, or arrow keys and Enter, choose a time range.
 *
 * The view has the `Patterns` beside it. */
import { useState } from "preact/hooks";
import { fillOf } from "../../charts/patterns";
import type { Delivery, Outcome } from "../../state/types";
import { clock, DAY, HOUR, MINUTE, number, plural, SECOND } from "../../text/format";

const BARS = 60;
const WIDTH = 20; // of a bar, in units of the picture
const HEIGHT = 40;
const STEPS = [
  ...[1, 2, 5, 10, 30].map((each) => each * SECOND),
  ...[1, 2, 5, 10, 30].map((each) => each * MINUTE),
  ...[1, 2, 3, 6, 12].map((each) => each * HOUR),
  ...[1, 2, 7, 30].map((each) => each * DAY),
];
const ORDER: Outcome[] = ["delivered", "retrying", "dead", "held", "skipped"];
const FILLS: Record<Outcome, object> = {
  delivered: fillOf("okq"),
  retrying: fillOf("warn", "hatched"),
  dead: fillOf("bad"),
  held: fillOf("held", "dotted"),
  skipped: fillOf("off"),
};

type Counts = Partial<Record<Outcome, number>>;

interface Bars {
  from: number;
  step: number;
  counts: Counts[];
  highest: number;
}

/** Put deliveries into bars that begin at round times, at most BARS of them. */
function barsOf(deliveries: Delivery[]): Bars {
  const times = deliveries.map((each) => Date.parse(each.occurredAt));
  const oldest = times.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
  const newest = times.reduce((most, each) => Math.max(most, each), 0);
  const fits = (step: number) => Math.floor(newest / step) - Math.floor(oldest / step) < BARS;
  const step = STEPS.find(fits) ?? Math.ceil((newest - oldest) / (BARS - 1) / DAY) * DAY;
  const begin = Math.floor(oldest / step);
  const counts: Counts[] = Array.from({ length: Math.floor(newest / step) - begin + 1 }, () => ({}));
  deliveries.forEach(({ outcome }, index) => {
    const bar = counts[Math.floor(times[index]! / step) - begin]!;
    if (ORDER.includes(outcome)) bar[outcome] = (bar[outcome] ?? 0) + 1;
  });
  return { from: begin * step, step, counts, highest: Math.max(...counts.map(sum)) };
}

const sum = (counts: Counts) => Object.values(counts).reduce((all, each) => all + each, 0);

function said(counts: Counts): string {
  const parts = ORDER.filter((each) => counts[each]).map((each) => `${number(counts[each]!)} ${each}`);
  return parts.join(", ") || "none";
}

/** "09:30" today, else with the day; with seconds where bars are shorter than a minute. */
function timeText(at: number, step: number): string {
  const day = new Date(at).toDateString() === new Date().toDateString() ? "" : `${dayText(at)} `;
  return step >= DAY ? dayText(at) : day + clock(at, step < MINUTE);
}

const dayText = (at: number) => new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

function stepText(step: number): string {
  if (step < MINUTE) return `${step / SECOND} s`;
  if (step < HOUR) return `${step / MINUTE} min`;
  return step < DAY ? `${step / HOUR} h` : plural(step / DAY, "day");
}

interface HistogramProps {
  deliveries: Delivery[];
  onSelect: (since: number, until: number) => void;
}

/** Deliveries without a time have no place in it. */
export function Histogram({ deliveries, onSelect }: HistogramProps) {
  const timed = deliveries.filter((each) => Date.parse(each.occurredAt) >= 0);
  return timed.length ? <Chart deliveries={timed} onSelect={onSelect} /> : null;
}

function Chart(props: HistogramProps) {
  const bars = barsOf(props.deliveries);
  const { from, step, counts, highest } = bars;
  const [marked, mark] = useState<{ first: number; last: number; isDragged: boolean }>();
  const at = (index: number) => from + index * step;
  const within = (index: number) => Math.max(0, Math.min(counts.length - 1, index));
  const pointed = (event: PointerEvent & { currentTarget: Element }) => {
    const box = event.currentTarget.getBoundingClientRect();
    return within(Math.floor(((event.clientX - box.left) / box.width) * counts.length));
  };
  const select = ({ first, last }: { first: number; last: number }) => {
    mark(undefined);
    props.onSelect(at(Math.min(first, last)), at(Math.max(first, last) + 1) - 1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) {
      event.preventDefault();
      const last = within(marked ? marked.last + by : by < 0 ? counts.length - 1 : 0);
      mark({ first: event.shiftKey && marked ? marked.first : last, last, isDragged: false });
    } else if (event.key === "Enter" && marked) select(marked);
    else if (event.key === "Escape" && marked) {
      event.stopPropagation();
      mark(undefined);
    }
  };
  const label = `${plural(props.deliveries.length, "delivery", "deliveries")} by outcome, per ${stepText(step)} from ${timeText(from, step)} to ${timeText(at(counts.length), step)}: ${said(totals(counts))}. Drag, or use arrow keys (with Shift for several bars) and Enter, to choose a time range.`;
  const low = marked && Math.min(marked.first, marked.last);
  const high = marked && Math.max(marked.first, marked.last);
  return (
    <div class="histo">
      <svg
        viewBox={`0 0 ${counts.length * WIDTH} 44`}
        preserveAspectRatio="none"
        role="img"
        tabIndex={0}
        aria-label={label}
        onKeyDown={onKeyDown}
        onBlur={() => mark(undefined)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const index = pointed(event);
          mark({ first: index, last: index, isDragged: true });
        }}
        onPointerMove={(event) => {
          const last = pointed(event);
          mark({
            first: marked?.isDragged ? marked.first : last,
            last,
            isDragged: Boolean(marked?.isDragged),
          });
        }}
        onPointerUp={() => marked?.isDragged && select(marked)}
        onPointerCancel={() => mark(undefined)}
        onPointerLeave={() => marked?.isDragged || mark(undefined)}
      >
        {low !== undefined && high !== undefined && (
          <rect class="f-marked" x={low * WIDTH} y="0" width={(high - low + 1) * WIDTH} height="43" />
        )}
        {counts.map((each, index) => (
          <g key={at(index)} opacity={low !== undefined && (index < low || index > high!) ? 0.35 : 1}>
            <Bar counts={each} x={index * WIDTH} highest={highest} />
          </g>
        ))}
        <path class="s-base" d={`M0 42.5h${counts.length * WIDTH}`} />
      </svg>
      <div class="row meta">
        <span>{timeText(from, step)}</span>
        <span class="push">
          {low !== undefined && high !== undefined
            ? `${timeText(at(low), step)} to ${timeText(at(high + 1), step)}: ${said(totals(counts.slice(low, high + 1)))}`
            : `${plural(props.deliveries.length, "loaded delivery", "loaded deliveries")} per ${stepText(step)}`}
        </span>
        <span class="push">{timeText(at(counts.length), step)}</span>
      </div>
    </div>
  );
}

function totals(counts: Counts[]): Counts {
  const all: Counts = {};
  for (const each of counts)
    for (const outcome of ORDER) if (each[outcome]) all[outcome] = (all[outcome] ?? 0) + each[outcome];
  return all;
}

function Bar({ counts, x, highest }: { counts: Counts; x: number; highest: number }) {
  let y = 42;
  return (
    <>
      {ORDER.filter((each) => counts[each]).map((each) => {
        const height = Math.max(1.5, (counts[each]! / highest) * HEIGHT);
        y -= height;
        return (
          <rect
            key={each}
            {...FILLS[each]}
            x={x + 1.5}
            y={Math.max(0, y)}
            width={WIDTH - 3}
            height={height}
          />
        );
      })}
    </>
  );
}
