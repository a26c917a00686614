/** The document's operations, as the page carries them beside its text. */
export interface Parameter {
  name: string;
  in: "path" | "query";
  required: boolean;
  example: string;
  values: string[] | null;
}

export interface Operation {
  method: string;
  path: string;
  secured: boolean;
  hasBody: boolean;
  bodyRequired: boolean;
  parameters: Parameter[];
  /** Example bodies by their names. */
  bodies: Record<string, unknown>;
}

interface Carried {
  operations: Record<string, Operation>;
  /** The words of a status. */
  phrases: Record<string, string>;
}

export const { operations, phrases }: Carried = JSON.parse(
  document.getElementById("operations")!.textContent!,
);
