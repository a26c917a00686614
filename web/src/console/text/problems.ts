/** The API's sentences about a request's fields, each for the control that it is about. */

export interface Problems {
  fields: Record<string, string>;
  /** Sentences about no field that is shown. */
  rest: string;
}

/** Split the message of a 400: "data: must be …; eventId: must be …". A sentence may have semicolons itself. */
export function problemsOf(message: string, names: string[]): Problems {
  const found: Problems = { fields: {}, rest: "" };
  const start = new RegExp(`; (?=(?:${names.join("|")})\\b)`);
  for (const sentence of message.split(start)) {
    const name = names.find((each) => new RegExp(`^${each}\\b`).test(sentence));
    if (name && !found.fields[name]) found.fields[name] = sentence;
    else found.rest = [found.rest, sentence].filter(Boolean).join("; ");
  }
  return found;
}
