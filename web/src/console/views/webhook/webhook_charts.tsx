/** The charts of a webhook: latency by phase, and deliveries by outcome, over a range. */

import { Chart } from "../../charts/chart";
import type { Band } from "../../charts/plot";
import type { Zone } from "../../charts/plot_marks";
import {
  coverage,
  type Grid,
  gridOf,
  lengthOf,
  median,
  placed,
  RANGES,
  type Range,
  spansOf,
  sum,
  type Values,
} from "../../charts/series";
import { PHASES } from "../../delivery/phases";
import { NotLoaded } from "../../parts/not_loaded";
import { Button, Segments } from "../../parts/ui";
import type { Loaded } from "../../state/load";
import { go, link } from "../../state/router";
import type { Health, Series, ShownWebhook } from "../../state/types";
import { duration, milliseconds, number } from "../../text/format";

export interface ShownSeries {
  range: Range;
  series: Series;
}

export function WebhookCharts(props: {
  load: Loaded<ShownSeries>;
  range: Range;
  webhook: ShownWebhook;
  isOld: boolean;
}) {
  const { range, load, webhook } = props;
  const [chosen, , title] = range;
  return (
    <section class="stack" aria-labelledby="charts-title">
      <div class="row">
        <h2 id="charts-title">{title}</h2>
        <div class="push">
          <Segments
            label="Range"
            options={RANGES.map(([name, word]) => [name, word] as const)}
            value={chosen}
            onChange={(name) => go(link({ range: name }))}
          />
        </div>
      </div>
      <NotLoaded name="The charts" load={load} isSaid={props.isOld && load.data?.range === range} />
      {load.data ? <Both {...load.data} webhook={webhook} /> : !load.error && <Waiting />}
    </section>
  );
}

/** Two cards of the charts' size. */
function Waiting() {
  return (
    <div class="g2" aria-busy="true">
      {[0, 1].map((each) => (
        <div class="card" key={each}>
          <div class="waiting" />
        </div>
      ))}
    </div>
  );
}

function Both({ series, range, webhook }: ShownSeries & { webhook: ShownWebhook }) {
  if (!series.deliveries) return <Nothing range={range} webhook={webhook} />;
  const grid = gridOf(series);
  const zones = zonesOf(webhook.health, grid);
  const shared = { starts: grid.starts, stepMs: grid.stepMs, zones };
  const [, word] = range;
  const latency = phaseBands(grid);
  const outcomes = outcomeBands(grid);
  return (
    <>
      <div class="g2">
        <Chart
          {...shared}
          kind="areas"
          title="Latency by phase"
          bands={latency}
          axis={(value) => (value ? `${number(value)} ms` : "0")}
          format={duration}
          totals={latency.map((each) => milliseconds(median(each.values)))}
          caption={`median, ${word}`}
          without="no attempts"
          label={latencyLabel(latency, grid) + failures(zones, grid)}
        />
        <Chart
          {...shared}
          kind="bars"
          title="Deliveries by outcome"
          bands={outcomes}
          axis={number}
          format={number}
          totals={outcomes.map((each) => number(sum(each.values)))}
          caption={`sum, ${word}`}
          without="no deliveries"
          label={outcomesLabel(outcomes, grid) + failures(zones, grid)}
        />
      </div>
      <p class="meta">{coverage(series)}</p>
    </>
  );
}

const LONGEST = RANGES.at(-1)!;

function Nothing({ range, webhook }: { range: Range; webhook: ShownWebhook }) {
  const { disabled, health } = webhook;
  const isOlder = health.deliveries.count > 0 && range !== LONGEST;
  return (
    <div class="card">
      <div class="empty">
        <h3>No deliveries in the {range[2].toLowerCase()}</h3>
        {isOlder ? (
          <Button href={link({ range: LONGEST[0] })}>Show the {LONGEST[2].toLowerCase()}</Button>
        ) : disabled ? (
          <p>The webhook is disabled, so events skip it. Charts begin with the first delivery.</p>
        ) : (
          <>
            <p>
              Charts of latency and outcomes begin with the first event. A test event shows at once whether
              the endpoint answers; it is listed below, and charts leave it out.
            </p>
            <Button icon="send" href={link({ dialog: "test" })}>
              Send test event
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

function phaseBands(grid: Grid): Band[] {
  const bands = PHASES.map(
    ([name, word]): Band => ({
      word,
      colour: `ph-${name}`,
      swatch: name,
      values: grid.phases[name],
    }),
  );
  // The response's body, or an endpoint that did not answer.
  if (grid.rest) bands.push({ word: "Rest", colour: "off-mark", swatch: "off", values: grid.rest });
  return bands;
}

function outcomeBands({ outcomes }: Grid): Band[] {
  const bands: Band[] = [
    { word: "Delivered", colour: "ok-quiet", swatch: "okq", values: outcomes.delivered },
    { word: "Retrying", colour: "warn-mark", swatch: "warn", texture: "hatched", values: outcomes.retrying },
    { word: "Dead", colour: "bad-mark", swatch: "bad", values: outcomes.dead },
    { word: "Held", colour: "held-mark", swatch: "held", texture: "dotted", values: outcomes.held },
  ];
  if (sum(outcomes.skipped))
    bands.push({ word: "Skipped", colour: "off-mark", swatch: "off", values: outcomes.skipped });
  return bands;
}

/** The times in which the endpoint was down. One outage is one zone, whether its deliveries were held or not. */
function zonesOf({ changes, state: present }: Health, { starts, stepMs }: Grid): Zone[] {
  const zones: Zone[] = [];
  for (const { state, from, to } of spansOf(changes, present, starts[0]!, starts.at(-1)! + stepMs)) {
    if (state !== "failing" && state !== "held") continue;
    const last = zones.at(-1);
    if (last?.to === from) last.to = to;
    else zones.push({ from, to, word: "failing" });
  }
  return zones;
}

function failures(zones: Zone[], { starts, stepMs }: Grid): string {
  const end = starts.at(-1)! + stepMs;
  return zones
    .map(({ from, to }) =>
      to >= end
        ? ` Failing since ${placed(from, Date.now())}.`
        : ` Failing from ${placed(from, Date.now())} to ${placed(to, Date.now())}.`,
    )
    .join("");
}

function latencyLabel(bands: Band[], grid: Grid): string {
  const all: Values = grid.starts.map((_, at) =>
    bands[0]!.values[at] === null ? null : sum(bands.map((each) => each.values[at] ?? 0)),
  );
  const known = all.filter((each) => each !== null);
  const begin = `Mean latency of attempts per ${lengthOf(grid.stepMs)}, stacked by phase`;
  if (!known.length) return `${begin}: no attempts.`;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return `${begin}: ${duration(least)} to ${duration(most)}, ${duration(known.at(-1)!)} in the last one.`;
}

function outcomesLabel(bands: Band[], grid: Grid): string {
  const counts = bands.map((each) => `${number(sum(each.values))} ${each.word.toLowerCase()}`);
  return `Deliveries per ${lengthOf(grid.stepMs)}, stacked by outcome: ${counts.join(", ")}.`;
}
