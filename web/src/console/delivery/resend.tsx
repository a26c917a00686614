/** Sends one delivery again, and follows it until its new attempt is in the log. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../../shared/client";
import { toast } from "../parts/toast";
import { lookOf } from "../parts/ui";
import { asApiError } from "../state/load";
import { inScope, type Session } from "../state/session";
import type { Delivery, Replay, ReplayCount } from "../state/types";

const LOOK_MS = 1000;
/** A new attempt takes at most this long to appear: the queue, and an endpoint's time to answer. */
const PATIENCE_MS = 60_000;

export interface Resend {
  send: () => void;
  isBusy: boolean;
  /** Its present step, or why it ended without a new attempt. */
  said?: string;
  error?: ApiError;
}

/** Return why a delivery cannot be sent again, in a sentence. */
export function whyNotSent(delivery: Delivery): string | undefined {
  if (delivery.outcome === "retrying") return "Resend is possible when no retry is left.";
  if (!delivery.payloadKept) return "The payload is not kept, so it cannot be sent again.";
  return undefined;
}

/** `onChanged` gets the delivery with its new attempt. */
export function useResend(session: Session, delivery: Delivery, onChanged: () => void): Resend {
  const [state, set] = useState<Omit<Resend, "send">>({ isBusy: false });
  const isOver = useRef(false);
  useEffect(
    () => () => {
      isOver.current = true;
    },
    [],
  );
  const { client, scope } = session;

  const follow = async (replayId: string) => {
    set({ isBusy: true, said: "Waiting for its turn." });
    const until = Date.now() + PATIENCE_MS;
    while (!isOver.current && Date.now() < until) {
      const replay = await client.call<Replay>("GET", inScope(scope, "replay", replayId));
      if (replay.state === "stopped" || replay.state === "cancelled")
        return set({
          isBusy: false,
          said: `It was not sent: ${replay.reason ?? "the replay was cancelled"}.`,
        });
      if (replay.passedOver || (replay.state === "done" && !replay.sent)) {
        onChanged();
        return set({ isBusy: false, said: "It was not sent: it changed before its turn came." });
      }
      if (replay.state === "done") return await newAttempt(until);
      await pause();
    }
    if (!isOver.current) set({ isBusy: false, said: "It is not sent yet. The replay goes on." });
  };

  const newAttempt = async (until: number) => {
    set({ isBusy: true, said: "Sent. Waiting for the endpoint's answer." });
    const path = inScope(scope, "delivery", delivery.deliveryId);
    while (!isOver.current && Date.now() < until) {
      const now = await client.call<Delivery>("GET", path);
      if (now.attemptCount !== delivery.attemptCount || now.settledAt !== delivery.settledAt) {
        if (isOver.current) return;
        onChanged();
        set({ isBusy: false });
        toast(`Sent again: ${lookOf(now.outcome).word.toLowerCase()}`);
        return;
      }
      await pause();
    }
    if (!isOver.current) set({ isBusy: false, said: "Sent. Its answer is not in the log yet." });
  };

  const send = async () => {
    set({ isBusy: true });
    try {
      const begun = await client.call<Replay | ReplayCount>("POST", inScope(scope, "deliveries", "replay"), {
        deliveryIds: [delivery.deliveryId],
      });
      if ("replayId" in begun) await follow(begun.replayId);
      else {
        onChanged();
        set({ isBusy: false, said: `It was not sent: ${begun.message ?? "its payload is not kept"}.` });
      }
    } catch (failure) {
      if (!isOver.current) set({ isBusy: false, error: asApiError(failure) });
    }
  };

  return { ...state, send };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS));
