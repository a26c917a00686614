/** Why a filter did not hold: each condition that failed, in words. */
import type { Listener } from "../../state/catalogue";
import type { FailedCondition } from "./explanation";

/** The API gives the first values of a field. */
const FIRST = 5;

export function FailedConditions(props: { conditions: FailedCondition[]; listener?: Listener }) {
  const { conditions } = props;
  if (!conditions.length) return <>Its filter does not hold for this event.</>;
  const isAlone = conditions.length === 1 && conditions[0]!.object === 0;
  if (isAlone && (props.listener?.groups ?? 1) < 2) return <Words condition={conditions[0]!} />;
  return (
    <>
      <p>{rule(props)}</p>
      <ul>
        {conditions.map((each) => (
          <li key={each.object}>
            Group {each.object + 1}: <Words condition={each} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Under ANY each group has a condition that failed; where one has none, all groups must hold. */
function rule({ conditions, listener }: Parameters<typeof FailedConditions>[0]): string {
  const isSome =
    conditions.length < (listener?.groups ?? 0) || conditions.some((each, at) => each.object !== at);
  if (isSome || listener?.criteria === "ALL") return "Every group of its filter must hold.";
  if (listener) return "One group of its filter would be enough, and none holds.";
  return "These groups of its filter do not hold.";
}

function Words({ condition }: { condition: FailedCondition }) {
  const { field, wanted, found } = condition;
  return (
    <>
      <code>{field}</code> should be <code>{wanted}</code>,{" "}
      {found.length ? (
        <>
          found{" "}
          {found.map((each, at) => (
            <span key={at}>
              {at > 0 && ", "}
              <code>{each}</code>
            </span>
          ))}
          {found.length === FIRST && " (the first five)"}
        </>
      ) : (
        "not in the event"
      )}
    </>
  );
}
