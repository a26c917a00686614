/** One save of the form: sends it, and tells the outcome. The same save tried again makes its change once. */
import { type ApiError, JsonText } from "../../../shared/client";
import { asApiError } from "../../state/load";
import { inScope, type Session } from "../../state/session";
import { type Problems, problemsOf, unsendable } from "./field_errors";
import { changeBody, createBody, differences, read, type Values } from "./model";

export type Outcome =
  | { kind: "saved"; text: string }
  /** `status`: absent where nothing was sent. */
  | { kind: "refused"; problems: Problems; status?: number }
  | { kind: "changed"; theirs: string; message: string }
  | { kind: "failed"; error: ApiError };

/** The last save's body, for a repeat of it. */
export interface Sent {
  body: string;
  uuid: string;
}

export interface Save {
  session: Session;
  values: Values;
  /** The webhook to change; absent for a new one. */
  id?: string;
  /** Its response, as the form began with it. */
  stored?: string;
  /** The last save, if it failed: it may have been carried out. */
  last?: Sent;
  onSend: (sent: Sent) => void;
}

/** Statuses after which the request may have been carried out. */
const UNSURE = [0, 500, 502, 503, 504];
export const isUnsure = (error: ApiError) => UNSURE.includes(error.status);

export async function save(asked: Save): Promise<Outcome> {
  const { session, values, id, stored } = asked;
  const wrong = unsendable(values);
  if (wrong.length) return { kind: "refused", problems: { fields: wrong, others: [] } };
  const path = inScope(session.scope, "webhook", ...(id ? [id] : []));
  const body = stored ? changeBody(values, read(stored)) : createBody(values);
  if (stored && body === "{}") return { kind: "saved", text: stored };
  const isRepeat = asked.last?.body === body;
  try {
    if (stored && !isRepeat) {
      const { text } = await session.client.response("GET", path);
      if (differences(read(stored), read(text)).length)
        return { kind: "changed", theirs: text, message: "Another request changed this webhook." };
    }
    const sent = isRepeat ? asked.last! : { body, uuid: crypto.randomUUID() };
    asked.onSend(sent);
    const response = await session.client.response(
      stored ? "PATCH" : "PUT",
      path,
      new JsonText(body),
      undefined,
      sent.uuid,
    );
    return { kind: "saved", text: response.text };
  } catch (failure) {
    const error = asApiError(failure);
    if (error.status === 400)
      return { kind: "refused", problems: problemsOf(error.message, values), status: 400 };
    if (error.status === 409 && stored) return raced(session, path, error);
    return { kind: "failed", error };
  }
}

/** Another change came between: load it. */
async function raced(session: Session, path: string, error: ApiError): Promise<Outcome> {
  try {
    const { text } = await session.client.response("GET", path);
    return { kind: "changed", theirs: text, message: error.message };
  } catch {
    return { kind: "failed", error };
  }
}
