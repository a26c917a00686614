/** A chart in a card. Its legend is the read-out; arrow keys move through the values; Table shows them all. */
import { useState } from "preact/hooks";
import { Button } from "../parts/ui";
import { clock, HOUR } from "../text/format";
import { fillOf } from "./patterns";
import { Plot, type PlotProps } from "./plot";
import { placed } from "./series";

export interface ChartProps extends Omit<PlotProps, "onCursor"> {
  title: string;
  /** A value in the legend and the table. */
  format: (value: number) => string;
  /** The legend's values at rest, one a band, and their name: "sum, 6 h". */
  totals: string[];
  caption: string;
  /** After the time of a bucket without values. */
  without: string;
}

interface Cursor {
  at: number | null;
  byKeys: boolean;
}

export function Chart(props: ChartProps) {
  const [cursor, setCursor] = useState<Cursor>({ at: null, byKeys: false });
  const [isTable, showTable] = useState(false);
  const toggle = () => {
    showTable(!isTable);
    setCursor({ at: null, byKeys: false });
  };
  // Values may have become fewer since the cursor was set.
  const at = cursor.at !== null && cursor.at < props.starts.length ? cursor.at : null;
  const time = at === null ? "" : readTime(props, at);
  return (
    <section class="card" aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        <div class="push row nw">
          <span class="meta clip">{at === null ? props.caption : time}</span>
          <Button look="sm quiet" onClick={toggle} label={isTable ? "Show as a chart" : "Show as a table"}>
            {isTable ? "Chart" : "Table"}
          </Button>
        </div>
      </header>
      <div class="chart">
        {isTable ? (
          <Table {...props} />
        ) : (
          <>
            <Legend {...props} at={at} />
            <p class="vh" aria-live="polite">
              {at !== null && cursor.byKeys && spoken(props, at)}
            </p>
            <Plot
              {...props}
              label={`${props.label} Left and right arrow keys read single values.`}
              onCursor={(at, byKeys) => setCursor((before) => (before.at === at ? before : { at, byKeys }))}
            />
          </>
        )}
      </div>
    </section>
  );
}

const shown = ({ format }: ChartProps, value: number | null | undefined) =>
  value === null || value === undefined ? "–" : format(value);

/** The values at the cursor, else of the whole. */
function Legend({ at, ...props }: ChartProps & { at: number | null }) {
  return (
    <ul class="legend">
      {props.bands.map((band, index) => (
        <li key={band.word}>
          <svg viewBox="0 0 10 10" aria-hidden="true">
            <rect {...fillOf(band.swatch, band.texture)} width="10" height="10" />
          </svg>
          {band.word} <b>{at === null ? props.totals[index] : shown(props, band.values[at])}</b>
        </li>
      ))}
    </ul>
  );
}

function readTime(props: ChartProps, at: number): string {
  const isEmpty = props.bands.every((each) => !each.values[at]);
  return `${bucketTime(props, at)}${isEmpty ? `, ${props.without}` : ""}`;
}

function spoken(props: ChartProps, at: number): string {
  const values = props.bands.map((each) => `${each.word} ${shown(props, each.values[at])}`);
  return `${readTime(props, at)}: ${values.join(", ")}`;
}

/** The start of a bucket: with the day in a chart of days, with seconds where buckets are shorter than a minute. */
function bucketTime({ starts, stepMs }: ChartProps, at: number): string {
  if (stepMs >= HOUR) return placed(starts[at]!, starts.at(-1)!);
  return clock(starts[at]!, stepMs < 60_000);
}

function Table(props: ChartProps) {
  const { bands, starts } = props;
  return (
    <div class="scroll values" tabIndex={0} role="region" aria-label={`Values of ${props.title}`}>
      <table class="tbl dense">
        <thead>
          <tr>
            <th>Time</th>
            {bands.map((each) => (
              <th class="num" key={each.word}>
                {each.word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {starts
            .map((start, at) => (
              <tr key={start}>
                <td class="nowrap">{bucketTime(props, at)}</td>
                {bands.map((band) => (
                  <td class="num" key={band.word}>
                    {shown(props, band.values[at])}
                  </td>
                ))}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}
