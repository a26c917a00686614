/** The shapes of stacked bands, each from the sum below it to its own. */
import type uPlot from "uplot";
import type { Values } from "./series";

const GAP = 0.75; // CSS pixels on each side of a bar

/** Add each list to those before it. null: no value, in all of them. */
export function stacked(lists: Values[]): Values[] {
  let below: Values = [];
  return lists.map((values) => {
    below = values.map((value, at) => (value === null ? null : value + (below[at] ?? 0)));
    return below;
  });
}

interface Edges {
  /** The sums at a bucket in canvas pixels, null where there is none. */
  upper: (at: number) => number | null;
  lower: (at: number) => number;
  left: (at: number) => number;
  right: (at: number) => number;
  count: number;
}

function edgesOf(u: uPlot, series: number, step: number): Edges {
  const xs = u.data[0];
  const y = (value: number) => u.valToPos(value, "y", true);
  const own = u.data[series]!;
  const below = series > 1 ? u.data[series - 1]! : undefined;
  return {
    upper: (at) => (own[at] === null || own[at] === undefined ? null : y(own[at])),
    lower: (at) => y(below?.[at] ?? 0),
    left: (at) => u.valToPos(xs[at]! - step / 2, "x", true),
    right: (at) => u.valToPos(xs[at]! + step / 2, "x", true),
    count: xs.length,
  };
}

const made = (path: Path2D, outline: Path2D | null): uPlot.Series.Paths => ({
  fill: path,
  stroke: outline,
  flags: 0,
});

/** Areas through the middles of buckets, level to the edges of a run: a single bucket is a column. */
export function areas(u: uPlot, series: number, step: number): uPlot.Series.Paths {
  const { upper, lower, left, right, count } = edgesOf(u, series, step);
  const path = new Path2D();
  const middle = (at: number) => (left(at) + right(at)) / 2;
  for (let at = 0; at < count; at += 1) {
    if (upper(at) === null) continue;
    let end = at;
    while (end + 1 < count && upper(end + 1) !== null) end += 1;
    path.moveTo(left(at), upper(at)!);
    for (let each = at; each <= end; each += 1) path.lineTo(middle(each), upper(each)!);
    path.lineTo(right(end), upper(end)!);
    path.lineTo(right(end), lower(end));
    for (let each = end; each >= at; each -= 1) path.lineTo(middle(each), lower(each));
    path.lineTo(left(at), lower(at));
    path.closePath();
    at = end;
  }
  return made(path, path);
}

/** A bar for each value that is not 0, at least a pixel high. */
export function bars(u: uPlot, series: number, step: number): uPlot.Series.Paths {
  const { upper, lower, left, right, count } = edgesOf(u, series, step);
  const ratio = devicePixelRatio || 1;
  const path = new Path2D();
  for (let at = 0; at < count; at += 1) {
    const high = upper(at);
    if (high === null || high >= lower(at)) continue;
    const height = Math.max(ratio, lower(at) - high);
    const x = left(at) + GAP * ratio;
    path.rect(x, lower(at) - height, Math.max(ratio, right(at) - GAP * ratio - x), height);
  }
  return made(path, null);
}
