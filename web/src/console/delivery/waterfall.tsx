/** The attempts of a delivery on one time scale, with the waits between them. */

import { Icon, type IconName } from "../parts/icons";
import { Countdown } from "../parts/ui";
import type { Attempt, Delivery } from "../state/types";
import { clock, duration, seconds } from "../text/format";
import { isTaken } from "./delivery_story";
import { PhaseBar, PhaseKey } from "./phases";

export function Waterfall(props: {
  delivery: Delivery;
  /** The number of the attempt whose response and headers are shown. */
  selected: number;
  onSelect: (number: number) => void;
}) {
  const { delivery, selected } = props;
  const { attempts } = delivery;
  const longest = Math.max(1, ...attempts.map(took));
  const chosen = attempts.find((each) => each.number === selected);
  const earlier = delivery.attemptCount - attempts.length;
  return (
    <section aria-labelledby="attempts">
      <div class="row">
        <h3 id="attempts">Attempts</h3>
        <span class="meta">{delivery.attemptCount}</span>
      </div>
      <PhaseKey times={chosen?.times} />
      <div class="wf">
        {earlier > 0 && (
          <div class="gap meta">
            {earlier === 1 ? "1 earlier attempt is" : `${earlier} earlier attempts are`} counted only
          </div>
        )}
        {attempts.map((each, index) => (
          <>
            {index > 0 && <Wait before={attempts[index - 1]!} after={each} />}
            <Row
              key={each.number}
              attempt={each}
              isTaken={isTaken(delivery, each)}
              isSelected={each.number === selected}
              longest={longest}
              onSelect={() => props.onSelect(each.number)}
            />
          </>
        ))}
        <Next delivery={delivery} />
      </div>
    </section>
  );
}

const took = (attempt: Attempt) => Math.max(attempt.latencyMs, attempt.times?.totalMs ?? 0);

function Row(props: {
  attempt: Attempt;
  isTaken: boolean;
  isSelected: boolean;
  longest: number;
  onSelect: () => void;
}) {
  const { attempt } = props;
  const icon: IconName = props.isTaken ? "ok" : attempt.status ? "x" : "clock";
  const isReused = Boolean(attempt.times?.firstByteMs) && !attempt.times?.connectMs;
  return (
    <button type="button" aria-pressed={props.isSelected} onClick={props.onSelect}>
      <span class="two">
        <span class={`pill k-${props.isTaken ? "ok" : "bad"}`}>
          <Icon name={icon} />
          {attempt.number}. {attempt.status ?? "No answer"}
        </span>
        <span class="meta">
          {clock(Date.parse(attempt.at), true)}
          {isReused ? ", reused" : ""}
        </span>
      </span>
      <PhaseBar times={attempt.times} total={took(attempt)} of={props.longest} />
      <span class="num">{duration(took(attempt))}</span>
    </button>
  );
}

function Wait({ before, after }: { before: Attempt; after: Attempt }) {
  const waited = Date.parse(after.at) - Date.parse(before.at) - before.latencyMs;
  if (!(waited >= 1000)) return <div class="gap meta">at once</div>;
  return (
    <div class="gap meta">
      waited {waited < 3_600_000 ? seconds(Math.round(waited / 1000)) : duration(waited)}
    </div>
  );
}

function Next({ delivery }: { delivery: Delivery }) {
  if (delivery.outcome !== "retrying" || !delivery.nextAttemptAt) return null;
  const at = Date.parse(delivery.nextAttemptAt);
  return (
    <div class="gap meta">
      attempt {delivery.attemptCount + 1}{" "}
      {at > Date.now() ? (
        <>
          in <Countdown until={at} />
        </>
      ) : (
        "now"
      )}
    </div>
  );
}
