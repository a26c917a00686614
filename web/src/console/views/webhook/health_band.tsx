/** The last 24 hours of a webhook's states: thin while healthy, full height while the endpoint was down. */

import { fillOf, type Texture } from "../../charts/patterns";
import { placed, type Span, spansOf } from "../../charts/series";
import { lookOf, useTick } from "../../parts/ui";
import type { Health } from "../../state/types";
import { DAY, duration } from "../../text/format";
import { capital } from "../../text/health";

const WIDTH = 1000;
const SEEN = 3; // of WIDTH: a failure of seconds is drawn

/** y and height of a state's part, and its fill. */
const LOOKS: Record<Span["state"], [number, number, string, Texture?]> = {
  healthy: [11, 3, "ok"],
  slow: [7, 11, "warn", "hatched"],
  failing: [2, 20, "bad"],
  held: [2, 20, "held", "dotted"],
  paused: [7, 11, "off"],
  disabled: [7, 11, "off"],
  unknown: [12, 1, "off"],
};

export function HealthBand({ health: { changes, state } }: { health: Health }) {
  useTick();
  const now = Date.now();
  const spans = spansOf(changes, state, now - DAY, now);
  const place = (at: number) => WIDTH * (1 - (now - at) / DAY);
  return (
    <div>
      <svg
        class="band"
        viewBox={`0 0 ${WIDTH} 24`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Last 24 hours: ${spans.map((each) => said(each, now)).join(", ")}.`}
      >
        {spans.map((each) => {
          const [y, height, tone, texture] = LOOKS[Object.hasOwn(LOOKS, each.state) ? each.state : "unknown"];
          const x = place(each.from);
          return (
            <rect
              key={each.from}
              {...fillOf(tone, texture)}
              x={x}
              y={y}
              width={Math.max(SEEN, place(each.to) - x)}
              height={height}
              data-tip={tip(each, now)}
            />
          );
        })}
      </svg>
      <div class="row meta">
        <span>24 h ago</span>
        <span class="push">now</span>
      </div>
    </div>
  );
}

const word = ({ state }: Span) => (state === "unknown" ? "not known" : lookOf(state).word.toLowerCase());

function said(span: Span, now: number): string {
  const { from, to } = span;
  if (to < now) return `${word(span)} for ${duration(to - from)}`;
  return from > now - DAY ? `${word(span)} for the last ${duration(to - from)}` : word(span);
}

function tip(span: Span, now: number): string {
  const from = span.from > now - DAY ? placed(span.from, now) : "";
  const to = span.to < now ? placed(span.to, now) : "now";
  const times = from ? `${from} to ${to}` : `until ${to}`;
  return `${capital(word(span))}, ${times}${span.reason ? `\n${capital(span.reason)}` : ""}`;
}
