/** Stacked areas or bars on a canvas, by uPlot: its scales, axes and cursor; shapes and colours are ours. */
import { useCallback, useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, DAY, HOUR, MINUTE } from "../text/format";
import { colourOf, textured, useThemeChange } from "./chart_colours";
import type { Texture } from "./patterns";
import { drawWords, drawZones, type Zone } from "./plot_marks";
import { areas, bars, stacked } from "./plot_shapes";
import { day, type Values } from "./series";

export interface Band {
  word: string;
  /** Of the custom property and the class `f-…`: "ok-quiet" is `--ok-quiet`. */
  colour: string;
  swatch: string;
  texture?: Texture;
  values: Values;
}

export interface PlotProps {
  kind: "areas" | "bars";
  bands: Band[];
  /** Of each bucket's start, epoch ms. */
  starts: number[];
  stepMs: number;
  zones: Zone[];
  axis: (value: number) => string;
  label: string;
  onCursor: (index: number | null, byKeys: boolean) => void;
}

const HEIGHT = 188;
const NOW_WIDTH = 44;
const COUNTS = [1, 2, 5]
  .flatMap((each) => [0, 1, 2, 3, 4, 5, 6, 7].map((power) => each * 10 ** power))
  .sort((one, other) => one - other);

export function Plot(props: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const byKeys = useRef(false);
  const { kind, bands, starts, stepMs } = props;

  useEffect(() => {
    const element = host.current!;
    const made = new uPlot(
      options(element.clientWidth, latest, probe.current!, byKeys),
      dataOf(latest.current),
      element,
    );
    plot.current = made;
    const seen = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    seen.observe(element);
    return () => {
      seen.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [kind, bands.length]);

  useEffect(() => plot.current?.setData(dataOf(latest.current)), [bands, starts, stepMs, props.zones]);
  const redraw = useCallback(() => plot.current?.redraw(false), []);
  useThemeChange(redraw);

  const move = (event: KeyboardEvent) => {
    const made = plot.current;
    if (!made) return;
    const last = starts.length - 1;
    const at = made.cursor.idx;
    const next = {
      ArrowLeft: Math.max(0, (at ?? last + 1) - 1),
      ArrowRight: Math.min(last, (at ?? last - 1) + 1),
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === "Escape" && typeof at === "number") {
      event.stopPropagation();
      leave();
    }
    if (next === undefined) return;
    event.preventDefault();
    byKeys.current = true;
    made.setCursor({ left: made.valToPos(made.data[0][next]!, "x"), top: 0 });
    byKeys.current = false;
  };
  const leave = () => plot.current?.setCursor({ left: -10, top: -10 });

  return (
    <div
      class="plot"
      role="img"
      tabIndex={0}
      aria-label={props.label}
      onKeyDown={move}
      onBlur={leave}
      ref={host}
    >
      <span ref={probe} hidden />
    </div>
  );
}

/** x: each bucket's middle, epoch seconds; then for each band the sum of it and those below. */
const dataOf = ({ bands, starts, stepMs }: PlotProps): uPlot.AlignedData => [
  starts.map((start) => (start + stepMs / 2) / 1000),
  ...stacked(bands.map((each) => each.values)),
];

function options(
  width: number,
  latest: { current: PlotProps },
  probe: HTMLElement,
  byKeys: { current: boolean },
): uPlot.Options {
  const { kind, bands } = latest.current;
  const colour = (name: string) => colourOf(probe, `--${name}`);
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: () => colour("ink-3"), font, ticks: { show: false }, gap: 6 };
  return {
    width,
    height: HEIGHT,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { show: false },
      // It stands in the middle of a bucket.
      move: (u, left, top) => (left < 0 ? [left, top] : [u.valToPos(u.data[0][u.posToIdx(left)]!, "x"), top]),
    },
    scales: {
      x: { time: true, range: () => extent(latest.current) },
      y: { range: (u) => [0, top(u, latest.current.zones.length > 0)] },
    },
    axes: [
      {
        ...axis,
        size: 24,
        space: 72,
        grid: { show: false },
        filter: (u, splits) =>
          splits.map((each) => (u.valToPos(each, "x") > u.over.clientWidth - NOW_WIDTH ? null : each)),
        values: (_, splits, __, ___, step) => splits.map((each) => (each === null ? "" : time(each, step))),
      },
      {
        ...axis,
        size: 56,
        space: 32,
        incrs: COUNTS,
        grid: { stroke: () => colour("line"), width: 1 },
        values: (_, splits) => splits.map((each) => latest.current.axis(each)),
      },
    ],
    series: [
      {},
      ...bands.map((_, index): uPlot.Series => {
        const band = () => latest.current.bands[index]!;
        return {
          // It is drawn closed, from the sum below to its own.
          paths: (u) => (kind === "areas" ? areas : bars)(u, index + 1, latest.current.stepMs / 1000),
          fill: () => {
            const { colour: name, texture } = band();
            const plain = colour(name);
            // uPlot hands a fill on to the canvas, which takes patterns too.
            return texture ? (textured(texture, plain, colour("surface")) as string) : plain;
          },
          stroke: kind === "areas" ? () => colour("surface") : undefined,
          width: kind === "areas" ? 0.75 : 0,
          points: { show: false },
        };
      }),
    ],
    hooks: {
      drawClear: [(u) => drawZones(u, latest.current.zones, colour("bad-tint"))],
      draw: [(u) => drawWords(u, latest.current.zones, colour("ink-3"), font)],
      setCursor: [(u) => latest.current.onCursor(u.cursor.idx ?? null, byKeys.current)],
    },
  };
}

const extent = ({ starts, stepMs }: PlotProps): [number, number] => [
  starts[0]! / 1000,
  (starts.at(-1)! + stepMs) / 1000,
];

/** Return the upper end of the scale: room above the highest sum, for a zone's word too. */
function top(u: uPlot, hasWords: boolean): number {
  let most = 0;
  for (const each of u.data.at(-1) ?? []) most = Math.max(most, each ?? 0);
  return Math.max(1, most * (hasWords ? 1.2 : 1.08));
}

function time(seconds: number, step: number): string {
  const at = seconds * 1000;
  if (step * 1000 >= DAY || (step * 1000 >= HOUR && clock(at) === "00:00")) return day(at);
  return clock(at, step * 1000 < MINUTE);
}
