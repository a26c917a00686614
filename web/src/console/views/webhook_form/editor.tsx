/** The form of a webhook, its save bar and its Request panel. */

import { Button, Head } from "../../parts/ui";
import { useEventNames } from "../../state/catalogue";
import { go, link, useRoute } from "../../state/router";
import type { Session } from "../../state/session";
import type { Webhook } from "../../state/types";
import { AuthRows } from "./auth";
import type { Problems } from "./field_errors";
import { Crumb, type Form, TokenRow, UrlRow, WebhookSection } from "./fields";
import { FilterRow } from "./filter";
import { Changed, Failed, Refused } from "./messages";
import { changeBody } from "./model";
import { RequestPanel } from "./request_panel";
import { RetrySection } from "./retry_section";
import { useEditor } from "./use_editor";
import { Versions } from "./versions";

/** `loaded`: the response of the webhook to change. */
export function Editor(props: { session: Session; id?: string; loaded?: string }) {
  const { session, id } = props;
  const { query } = useRoute();
  const names = useEventNames(session);
  const { state, set, failure, submit, goOn, connect, makeNew, question } = useEditor(props);
  const { values, stored } = state;
  const problems: Problems | undefined = failure?.kind === "refused" ? failure.problems : undefined;
  const form: Form = {
    values,
    set,
    errors: (field) => problems?.fields.find((each) => each.id === field)?.sentences,
  };
  const webhook: Webhook | undefined = stored ? JSON.parse(stored) : undefined;
  const isUnchanged = Boolean(stored) && changeBody(values, state.base) === "{}";
  return (
    <>
      <Head title={id ? "Edit webhook" : "Create webhook"} crumb={<Crumb id={id} name={webhook?.name} />} />
      <div class="g31">
        <form
          class="form"
          noValidate
          aria-busy={state.isBusy}
          onSubmit={(event) => {
            event.preventDefault();
            if (!isUnchanged) submit();
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
            event.preventDefault();
            event.currentTarget.requestSubmit();
          }}
        >
          {failure?.kind === "refused" && <Refused problems={failure.problems} status={failure.status} />}
          <WebhookSection form={form} disabledReason={webhook?.disabledReason} />
          <section>
            <header>
              <h2>Events</h2>
              <p>Names to listen to, 1 to 50. The list suggests names that are known here.</p>
            </header>
            <TokenRow
              form={form}
              id="event-names"
              label="Event names"
              apiField="eventNames"
              name="eventNames"
              placeholder="Add an event name"
              suggested={names}
            />
            <FilterRow form={form} />
          </section>
          <section>
            <header>
              <h2>Endpoint</h2>
              <p>
                HTTPS on port 443, reachable from the internet, unless the deployment allows more. The address
                is checked when you save and at every attempt.
              </p>
            </header>
            <UrlRow form={form} />
            <AuthRows form={form} stored={stored ? state.base.authType : undefined} />
          </section>
          <RetrySection form={form} />
          <div class="savefoot">
            {failure?.kind === "failed" && (
              <Failed
                error={failure.error}
                retryAt={failure.retryAt}
                onRetry={submit}
                onConnect={connect}
                onCopy={makeNew}
              />
            )}
            {failure?.kind === "changed" && (
              <Changed
                message={failure.message}
                onShow={() => go(link({ dialog: "theirs" }))}
                onSave={() => {
                  goOn(failure.theirs, true);
                  submit();
                }}
              />
            )}
            <div class="savebar">
              <Button
                type="submit"
                look="primary"
                busy={state.isBusy && (id ? "Saving" : "Creating")}
                disabled={isUnchanged}
              >
                {id ? "Save changes" : "Create webhook"}
              </Button>
              <Button look="quiet" href={id ? `#/webhooks/${id}` : "#/webhooks"}>
                Cancel
              </Button>
              <span class="meta push">
                {!id && "The signing secret is shown after this step"}
                {id && (isUnchanged ? "Nothing is changed yet" : "Applies to events accepted from now on")}
              </span>
            </div>
          </div>
        </form>
        <RequestPanel session={session} values={values} id={id} stored={stored ? state.base : undefined} />
      </div>
      {failure?.kind === "changed" && query.dialog === "theirs" && (
        <Versions
          stored={stored!}
          theirs={failure.theirs}
          values={values}
          onTake={() => {
            go(link({}));
            goOn(failure.theirs, false);
          }}
          onClose={() => go(link({}))}
        />
      )}
      {question}
    </>
  );
}
