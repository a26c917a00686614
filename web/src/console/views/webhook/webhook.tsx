/** One webhook: its health, latencies and outcomes over time, newest deliveries, and settings. */
import { useState } from "preact/hooks";
import type { ApiError } from "../../../shared/client";
import type { ViewProps } from "../../app";
import { Patterns } from "../../charts/patterns";
import { rangeOf } from "../../charts/series";
import { DeliveryDrawer } from "../../delivery/delivery_drawer";
import { Stale } from "../../parts/stale";
import { toast } from "../../parts/toast";
import { Trouble } from "../../parts/trouble";
import { Button, Note } from "../../parts/ui";
import { ReplayDialog, RunningReplays } from "../../replay/replay_dialog";
import { remember } from "../../state/catalogue";
import { asApiError, useLoad } from "../../state/load";
import { nameOf } from "../../state/names";
import { go, link, useRoute } from "../../state/router";
import { inScope } from "../../state/session";
import type { DeliveryPage, Series, ShownWebhook, WebhookHealth } from "../../state/types";
import { sentence } from "../../text/health";
import { type Json, readJson } from "../../text/json_text";
import { CreatedDialog } from "./created_dialog";
import { DeleteDialog } from "./delete_dialog";
import { HealthCard } from "./health_card";
import { RecentDeliveries } from "./recent_deliveries";
import { RotateDialog } from "./rotate_dialog";
import { SettingsCard } from "./settings_card";
import { TestDialog } from "./test_dialog";
import { type ShownSeries, WebhookCharts } from "./webhook_charts";
import { type Busy, WebhookHead } from "./webhook_head";
import { WebhookSkeleton } from "./webhook_skeleton";

const REFRESH_MS = 15_000;
/** A series is of up to 1,000 deliveries: it is read again less often. */
const SERIES_MS = 60_000;
const NEWEST = 8;

interface Loaded {
  webhook: ShownWebhook;
  /** As the API wrote it: its numbers are exact. */
  query: Json | undefined;
}

export function WebhookView({ session, id }: ViewProps) {
  const { query } = useRoute();
  const { client } = session;
  const path = inScope(session.scope, "webhook", id);
  const range = rangeOf(query.range);
  const close = () => go(link({}));

  const shown = useLoad<Loaded>(
    async (signal) => {
      const { text } = await client.response("GET", path, undefined, signal);
      const exact = readJson(text);
      const webhook = JSON.parse(text) as ShownWebhook;
      remember([webhook]);
      return { webhook, query: exact instanceof Map ? exact.get("query") : undefined };
    },
    [path],
    { everyMs: REFRESH_MS },
  );
  const series = useLoad<ShownSeries>(
    async (signal) => {
      const since = new Date(Date.now() - range[3]).toISOString();
      const loaded = await client.call<Series>("GET", `${path}/series?since=${since}`, undefined, signal);
      return { range, series: loaded };
    },
    [path, range],
    { everyMs: SERIES_MS },
  );
  const deliveries = useLoad<DeliveryPage>(
    async (signal) => {
      return client.call("POST", `${path}/deliveries/fetch`, { size: NEWEST }, signal);
    },
    [path],
    { everyMs: REFRESH_MS },
  );
  const webhook = shown.data?.webhook;
  // After the first three requests, and again when there is another delivery.
  const last = useLoad<WebhookHealth | undefined>(
    async (signal) => {
      if (!webhook) return undefined;
      const asked = { webhookIds: [id] };
      const found = await client.call<{ data: WebhookHealth[] }>(
        "POST",
        inScope(session.scope, "webhooks", "health"),
        asked,
        signal,
      );
      return found.data[0];
    },
    [path, webhook && JSON.stringify([webhook.health.deliveries, webhook.health.held])],
  );

  const actions = useActions(session, path, () => {
    shown.reload();
    deliveries.reload();
  });

  if (shown.error && (!webhook || shown.error.status === 404)) return <Missing load={shown} id={id} />;
  const head = <WebhookHead id={id} webhook={webhook} {...actions} />;
  if (!webhook)
    return (
      <>
        {head}
        <WebhookSkeleton />
      </>
    );
  const { dialog } = query;
  const isOld = shown.error !== undefined;
  return (
    <>
      <Patterns />
      {head}
      <div class="stack l">
        {shown.error && <Stale error={shown.error} retryAt={shown.retryAt} onRetry={shown.reload} />}
        {actions.error && (
          <Note
            tone="bad"
            icon="tri"
            actions={
              <Button look="sm quiet" onClick={actions.dismiss}>
                Dismiss
              </Button>
            }
          >
            <b>{actions.failed}</b> {sentence(actions.error.message)}
          </Note>
        )}
        <RunningReplays session={session} />
        <HealthCard
          webhook={webhook}
          last={last.data?.deliveries}
          enable={
            webhook.disabled && (
              <Button look="sm" busy={actions.busy} onClick={actions.onEnable} label="Enable the webhook">
                Enable
              </Button>
            )
          }
        />
        <WebhookCharts load={series} range={range} webhook={webhook} isOld={isOld} />
        <div class="g31">
          <RecentDeliveries load={deliveries} webhookId={id} isOld={isOld} />
          <SettingsCard
            session={session}
            webhook={webhook}
            query={shown.data?.query}
            secretVersion={actions.rotations}
          />
        </div>
      </div>
      <DeliveryDrawer session={session} id={query.open} nameOf={nameOf} />
      {dialog === "test" && <TestDialog session={session} webhook={webhook} onClose={actions.done} />}
      {dialog === "rotate" && (
        <RotateDialog session={session} webhookId={id} onRotated={actions.onRotated} onClose={close} />
      )}
      {dialog === "delete" && <DeleteDialog session={session} webhook={webhook} onClose={close} />}
      {dialog === "replay" && <ReplayDialog session={session} webhookId={id} onClose={actions.done} />}
      {dialog === "created" && <CreatedDialog session={session} webhookId={id} onClose={close} />}
    </>
  );
}

/** Nothing to show: it was deleted meanwhile, or the first load failed. */
function Missing({ load, id }: { load: ReturnType<typeof useLoad<Loaded>>; id: string }) {
  const error = load.error!;
  const isGone = error.status === 404;
  return (
    <>
      <WebhookHead id={id} busy="" onPause={() => undefined} onEnable={() => undefined} />
      <Trouble
        error={error}
        title={isGone ? "This webhook does not exist" : undefined}
        retryAt={load.retryAt}
        onRetry={isGone ? undefined : load.reload}
      >
        {isGone && (
          <>
            <p class="meta">It may have been deleted meanwhile.</p>
            <Button look="primary" href="#/webhooks">
              All webhooks
            </Button>
          </>
        )}
      </Trouble>
    </>
  );
}

/** Actions that are done at once, without a dialog. */
function useActions(session: ViewProps["session"], path: string, reload: () => void) {
  const [busy, setBusy] = useState<Busy>("");
  const [error, fail] = useState<ApiError>();
  const [failed, setFailed] = useState("");
  const [rotations, rotated] = useState(0);
  const patch = async (verb: Busy, sentence: string, body: object): Promise<boolean> => {
    const button = document.activeElement;
    setBusy(verb);
    fail(undefined);
    try {
      await session.client.call("PATCH", path, body);
      reload();
      return true;
    } catch (failure) {
      fail(asApiError(failure));
      setFailed(sentence);
      return false;
    } finally {
      setBusy("");
      // A button that is busy loses the focus.
      setTimeout(() => {
        if (document.activeElement === document.body && button instanceof HTMLElement) button.focus();
      });
    }
  };
  const onPause = async (paused: boolean) => {
    const sentence = paused ? "The webhook was not paused." : "The webhook was not resumed.";
    if (!(await patch(paused ? "Pausing" : "Resuming", sentence, { paused }))) return;
    const done = paused
      ? "Paused. New deliveries are held until you resume it"
      : "Resumed. Held deliveries are sent";
    toast(done, () => void onPause(!paused));
  };
  const onEnable = async () => {
    if (await patch("Enabling", "The webhook was not enabled.", { disabled: false }))
      toast("Enabled. Events are sent to it from now on");
  };
  return {
    busy,
    error,
    failed,
    rotations,
    onPause,
    onEnable,
    dismiss: () => fail(undefined),
    onRotated: () => rotated((count) => count + 1),
    /** A dialog that made deliveries is closed. */
    done: () => {
      go(link({}));
      reload();
    },
  };
}
