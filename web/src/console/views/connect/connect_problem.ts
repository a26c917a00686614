/** Why a connection failed, and at which field. */
import { ApiError } from "../../../shared/client";
import { hintOf } from "../../parts/trouble";
import { asApiError } from "../../state/load";
import { secondsUntilRetry } from "../../state/waiting";

export type FieldName = "keyId" | "keySecret" | "license" | "tenant" | "community" | "passphrase";

export interface Problem {
  /** The field that is wrong, where that can be known. */
  field?: FieldName;
  message: string;
  status?: number;
  hint?: string;
  requestId?: string;
  /** Epoch ms at which the page tries again by itself. */
  retryAt?: number;
}

/** How the sentences of the service and of this page begin, which name the wrong part. */
const FIELDS: [RegExp, FieldName][] = [
  [/^licensekey: (?!must be encrypted)/, "license"],
  [/^publickey:/, "keyId"],
  [/^requestid: must be encrypted/, "keySecret"],
  [/tenantId:/, "tenant"],
  [/communityId:/, "community"],
  [/^the private key/i, "keySecret"],
  [/^the public key does not belong/i, "keySecret"],
  [/^the public key/i, "keyId"],
];

export function problemOf(failure: unknown, failures = 1): Problem {
  const error = asApiError(failure);
  const { status, message } = error;
  const field = status === 403 ? "community" : FIELDS.find(([start]) => start.test(message))?.[1];
  if (!(failure instanceof ApiError)) return { field, message };
  const wait = status === 429 || status === 503 ? secondsUntilRetry(error, failures) : undefined;
  return {
    field,
    status: status || undefined,
    message,
    hint:
      status === 401 && field === "license" ? "Check it, or ask the operator for a new one." : hintOf(error),
    requestId: error.requestId,
    retryAt: wait && Date.now() + wait * 1000,
  };
}
