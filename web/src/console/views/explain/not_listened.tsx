/** Where no webhook listens to an event's name: the names that others listen to. */

import { Button, Note } from "../../parts/ui";
import { closest } from "../../state/catalogue";
import { address } from "../../state/router";
import { number } from "../../text/format";
import type { Answer } from "./explanation";

/** The API's reason as a sentence of its own. */
export const sentence = (text: string) =>
  text[0]!.toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");

/** A name that differs in a few letters is the likely reason. */
export function Meant({ answer, onName }: { answer: Answer; onName: (name: string) => void }) {
  const meant = closest(answer.eventName, answer.listenedNames);
  if (!meant) return null;
  return (
    <Note
      tone="warn"
      icon="help"
      actions={
        <Button look="sm" onClick={() => onName(meant)}>
          Explain with this name
        </Button>
      }
    >
      Did you mean{" "}
      <a class="evt wrap" href={address(["events"], { e: meant })}>
        {meant}
      </a>
      ?
    </Note>
  );
}

export function Names({ answer }: { answer: Answer }) {
  const [, newest, total] = /(?:all|the newest (\d+) of) (\d+) webhooks$/.exec(answer.message ?? "") ?? [];
  return (
    <div class="card">
      <header>
        <h3>Names that webhooks listen to</h3>
        {newest && (
          <span class="meta push">
            of the newest {number(Number(newest))} of {number(Number(total))} webhooks
          </span>
        )}
      </header>
      <div class="body row">
        {answer.listenedNames.map((each) => (
          <span key={each} class="tag evt wrap">
            {each}
          </span>
        ))}
      </div>
    </div>
  );
}

export function NoListeners({ answer }: { answer: Answer }) {
  return (
    <div class="empty">
      <p>{sentence(answer.message ?? "no webhook lists this name")}</p>
      <Button look="primary" icon="plus" href="#/webhooks/new">
        Create webhook
      </Button>
    </div>
  );
}
