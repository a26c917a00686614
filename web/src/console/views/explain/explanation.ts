/** The question that Explain asks, and its answer, page by page. */
import { useMemo, useRef, useState } from "preact/hooks";
import { JsonText } from "../../../shared/client";
import { type Loaded, useLoad } from "../../state/load";
import { inScope, type Session } from "../../state/session";
import type { Condition, ExplainedWebhook, Explanation } from "../../state/types";
import { memberText, syntaxProblem, withMember } from "../../text/exact";
import { type Json, readJson, writeJson } from "../../text/json_text";

/** The question as it was typed: an event, or an id with the event's name and time. */
export interface Asked {
  text: string;
  name: string;
  at: string;
}

/** A condition that failed, its values as the API wrote them. */
export interface FailedCondition {
  object: number;
  field: string;
  wanted: string;
  found: string[];
}

export type ExplainedRow = Omit<ExplainedWebhook, "conditions"> & { conditions: FailedCondition[] };

/** The pages that were read. */
export interface Answer {
  asked: Asked;
  eventName: string;
  eventId?: string;
  rows: ExplainedRow[];
  hasMore: boolean;
  listenedNames: string[];
  /** "the newest 100 of 10,342 webhooks": whose names these are. */
  message?: string;
}

/** Pages that are read in search of a webhook where the first have none. */
const EMPTY_PAGES = 4;
const NAMES = ["eventName", "event_name", "detail-type"];

export const isEvent = (text: string) => /^\s*[[{]/.test(text);

/** Return the sentences about a question that need no service, by field. */
export function problemsOfQuestion(asked: Asked): Partial<Record<"event" | "eventName", string>> {
  if (!asked.text.trim()) return { event: "Paste an event, or its id." };
  if (isEvent(asked.text)) {
    const event = syntaxProblem(asked.text);
    return event ? { event } : {};
  }
  return asked.name.trim()
    ? {}
    : { eventName: "An id alone does not say which webhooks listen: give the event's name." };
}

/** Return the event with another name, all else as it was written. */
export function renamed(text: string, name: string): string {
  const member = NAMES.find((each) => memberText(text, each) !== undefined);
  return member ? withMember(text, member, JSON.stringify(name)) : text;
}

/** Ask, and keep the pages: `more` reads the next one. A failed page is tried again where that can help. */
export function useExplanation(
  session: Session,
  asked: Asked | undefined,
): Loaded<Answer | undefined> & { more: () => void } {
  const pages = useRef<{ asked?: Asked; read: Page[] }>({ read: [] });
  const [wanted, want] = useState<{ asked?: Asked; pages: number }>({ pages: 1 });
  const count = wanted.asked === asked ? wanted.pages : 1;
  const loaded = useLoad(
    async (signal) => {
      if (!asked) return undefined;
      if (pages.current.asked !== asked) pages.current = { asked, read: [] };
      const { read } = pages.current;
      while (read.length < count || isEmpty(read)) {
        const cursor = read.at(-1)?.cursor;
        if (read.length && !cursor) break;
        read.push(await ask(session, asked, cursor, signal));
      }
      return { asked, read: [...read] };
    },
    [session, asked, count],
  );
  // Those of the question before are not shown for this one.
  const read = loaded.data?.asked === asked ? loaded.data?.read : undefined;
  const data = useMemo(() => (asked && read?.length ? answerOf(asked, read) : undefined), [asked, read]);
  const more = () => want({ asked, pages: pages.current.read.length + 1 });
  return { ...loaded, data, more };
}

type Page = Omit<Explanation, "webhooks"> & { rows: ExplainedRow[] };

const isEmpty = (read: Page[]) =>
  read.length > 0 && read.length < EMPTY_PAGES && read.every((each) => !each.rows.length);

async function ask(
  { client, scope }: Session,
  asked: Asked,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Page> {
  const parts = isEvent(asked.text) ? [`"event":${asked.text}`] : byId(asked);
  if (cursor) parts.push(`"cursor":${JSON.stringify(cursor)}`);
  const body = new JsonText(`{${parts.join(",")}}`);
  const { text } = await client.response("POST", inScope(scope, "events", "explain"), body, signal);
  const { webhooks, ...page } = JSON.parse(text) as Explanation;
  const exact = listOf(readJson(text), "webhooks");
  const rows = webhooks.map((each, at) => ({
    ...each,
    conditions: (each.conditions ?? []).map(({ object, field }: Condition, index) => {
      const written = listOf(exact[at], "conditions")[index];
      const wanted = written instanceof Map ? written.get("wanted") : undefined;
      return {
        object,
        field,
        wanted: writeJson(wanted ?? null),
        found: listOf(written, "found").map(writeJson),
      };
    }),
  }));
  // The webhooks that it went to come first, within a page: what is read stays in its place.
  rows.sort((one, other) => rank(one) - rank(other));
  return { ...page, rows };
}

const RANKS: ExplainedRow["result"][] = ["matched", "filtered", "disabled", "unknown"];
const rank = (row: ExplainedRow) => (row.outcome ? -1 : RANKS.indexOf(row.result));

function listOf(value: Json | undefined, member: string): Json[] {
  const list = value instanceof Map ? value.get(member) : undefined;
  return Array.isArray(list) ? list : [];
}

function byId({ text, name, at }: Asked): string[] {
  const parts = [`"eventId":${JSON.stringify(text.trim())}`, `"eventName":${JSON.stringify(name.trim())}`];
  const time = at.trim();
  if (time) parts.push(`"occurredAt":${/^-?\d+(\.\d+)?$/.test(time) ? time : JSON.stringify(time)}`);
  return parts;
}

function answerOf(asked: Asked, read: Page[]): Answer {
  const [first] = read;
  return {
    asked,
    eventName: first!.eventName,
    eventId: first!.eventId,
    rows: read.flatMap((each) => each.rows),
    hasMore: Boolean(read.at(-1)!.cursor),
    listenedNames: first!.listenedNames ?? [],
    message: first!.message,
  };
}
