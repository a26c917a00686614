/** The API's objects, as the OpenAPI document describes them. Times are ISO 8601 in UTC. */

export type State = "healthy" | "failing" | "held" | "slow" | "paused" | "disabled";
export type Outcome = "delivered" | "retrying" | "dead" | "held" | "skipped";
export type Level = "system" | "service";

export interface Credential {
  username?: string | null;
  password?: string | null;
  token?: string | null;
  keyName?: string | null;
  keyValue?: string | null;
  oauth2?: { clientId?: string | null; clientSecret?: string | null } | null;
}

export interface WebhookApi {
  url: string;
  type?: string;
  authType?: string;
  credential?: Credential | null;
  oAuthGrantType?: string | null;
  oAuthTokenUrl?: string | null;
  oAuthScopes?: string[] | null;
}

export interface Webhook {
  _id: string;
  tenantId: string;
  communityId: string;
  name: string;
  eventNames: string[];
  disabled: boolean;
  disabledReason?: string | null;
  paused?: boolean;
  createdBy?: string | null;
  tags?: string[] | null;
  query?: Record<string, unknown>[] | null;
  criteria?: "ANY" | "ALL" | null;
  api: WebhookApi;
  successCodes: number[];
  retryCodes?: number[] | null;
  retryCount?: number;
  ttl?: number;
  rateLimit?: number;
  recover?: boolean;
  signingSecret?: string;
}

export interface Change {
  at: string;
  state: State;
  reason: string;
}

export interface Health {
  state: State;
  states: State[];
  since?: string;
  held: number;
  recoverable?: number;
  lastSuccessAt?: string;
  lastFailure?: { at: string; reason: string };
  successRate?: number;
  p50Ms?: number;
  p99Ms?: number;
  deliveries: { count: number; since?: string; until?: string };
  changes: Change[];
}

export type ShownWebhook = Webhook & { health: Health };

export interface WebhookPage {
  page: { index: number; total: number; size: number; isExact?: boolean };
  data: Webhook[];
  publicKey: string;
}

export interface WebhookHealth {
  webhookId: string;
  state: State;
  since?: string;
  /** 10,000: that many or more. */
  held: number;
  /** Percent of the attempted ones, rounded down: 100 is all. */
  successRate?: number;
  p50Ms?: number;
  p99Ms?: number;
  /** The last 100, newest first: outcome, and milliseconds of the last attempt. */
  deliveries: [Outcome, number | null][];
}

export interface CommunityHealth {
  webhooks: Record<State, number> & { total: number };
  undelivered: Record<"retrying" | "dead" | "held", number>;
  isExact: boolean;
  oldestAt?: string;
}

export interface Communities {
  data: { tenantId: string; communityId: string }[];
  cursor?: string;
}

/** The private key is an envelope for the caller; the console never opens it. */
export interface ServiceKey {
  tag: string;
  keyId: string;
  type: string;
}

export interface Times {
  lookupMs?: number | null;
  connectMs?: number | null;
  tlsMs?: number | null;
  firstByteMs?: number | null;
  totalMs?: number | null;
}

export interface Attempt {
  number: number;
  at: string;
  status?: number;
  reason?: string;
  address?: string;
  latencyMs: number;
  times?: Times;
  response?: string;
  location?: string;
  requestHeaders?: Record<string, string>;
}

export interface Delivery {
  deliveryId: string;
  webhookId: string;
  eventId: string;
  eventName: string;
  occurredAt: string;
  outcome: Outcome;
  reason?: string;
  settledAt: string;
  nextAttemptAt?: string;
  mark?: "test" | "replay";
  recoverable?: boolean;
  attemptCount: number;
  payloadKept: boolean;
  attempts: Attempt[];
}

export interface DeliveryPage {
  data: Delivery[];
  cursor?: string;
}

export interface Bucket extends Times, Record<Outcome, number> {
  at: string;
}

export interface Series {
  since: string;
  until: string;
  deliveries: number;
  bucketSeconds: number;
  buckets: Bucket[];
}

export interface Replay {
  replayId: string;
  kind: "replay" | "recovery";
  state: "running" | "done" | "cancelled" | "stopped";
  rate: number;
  total: number;
  sent: number;
  withoutPayload: number;
  passedOver?: number;
  createdAt: string;
  createdBy?: string;
  updatedAt: string;
  filter?: { webhookId: string; outcome?: Outcome; eventName?: string; since?: string; until?: string };
  deliveryIds?: string[];
  reason?: string;
}

export interface ReplayCount {
  deliveries: number;
  withoutPayload: number;
  message?: string;
}

export interface Condition {
  object: number;
  field: string;
  wanted: unknown;
  found: unknown[];
}

export interface ExplainedWebhook {
  webhookId: string;
  name: string;
  result: "matched" | "filtered" | "disabled" | "unknown";
  reason?: string;
  deliveryId?: string;
  outcome?: Outcome;
  conditions?: Condition[];
}

export interface Explanation {
  eventId: string;
  eventName: string;
  occurredAt: string;
  webhooks: ExplainedWebhook[];
  cursor?: string;
  listenedNames?: string[];
  message?: string;
}

export interface TestResult {
  deliveryId: string;
  outcome: "delivered" | "failed";
  status?: number;
  reason?: string;
  latencyMs: number;
  times?: Times;
  address?: string;
  request: { method: string; url: string; headers: Record<string, string>; body: string };
  response?: { status: number; excerpt: string };
}
