/** Which view an address shows, and the connect page where no keys are known. */
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { Toast } from "./parts/toast";
import { Guarded } from "./shell/failures";
import { useHeading } from "./shell/heading";
import { Help } from "./shell/help";
import { ScopeDialog } from "./shell/scope_dialog";
import { Shell } from "./shell/shell";
import { useLevel } from "./state/level";
import { go, link, type Route, useRoute } from "./state/router";
import { type Session, useSession, whatIsAsked } from "./state/session";
import { Connect } from "./views/connect/connect";
import { Deliveries } from "./views/deliveries/deliveries";
import { Events } from "./views/events/events";
import { Explain } from "./views/explain/explain";
import { System } from "./views/system/system";
import { WebhookView } from "./views/webhook/webhook";
import { WebhookForm } from "./views/webhook_form/webhook_form";
import { Webhooks } from "./views/webhooks/webhooks";

/** The properties of every view. */
export interface ViewProps {
  session: Session;
  /** The webhook of `#/webhooks/<id>`. */
  id: string;
}

const PLACES = ["deliveries", "explain", "events", "system"];

/** Return the entry of the navigation; an address that leads nowhere shows the webhooks. */
const placeOf = (name = "") => (PLACES.includes(name) ? name : "webhooks");

function viewOf(path: string[]): FunctionComponent<ViewProps> {
  const [name, id, action] = path;
  if (name === "deliveries") return Deliveries;
  if (name === "explain") return Explain;
  if (name === "events") return Events;
  if (name === "system") return System;
  if (!id) return Webhooks;
  return id === "new" || action === "edit" ? WebhookForm : WebhookView;
}

export function App() {
  const route = useRoute();
  const session = useSession();
  const asked = whatIsAsked();
  const place = route.path.join("/");
  const isConnecting = !session || Boolean(asked) || route.path[0] === "connect";
  useHeading(`${place} ${isConnecting}`);
  useLevel(isConnecting ? undefined : session, place);
  return (
    <>
      {isConnecting && <Connect key={asked?.error} asked={asked} />}
      {session && route.path[0] !== "connect" && (
        // Behind the question for new keys the view keeps all that was typed in it.
        <div hidden={isConnecting}>
          <Connected session={session} route={route} place={place} />
        </div>
      )}
      <Toast />
    </>
  );
}

function Connected({ session, route, place }: { session: Session; route: Route; place: string }) {
  const [round, again] = useState(0);
  const View = viewOf(route.path);
  const { tenant, community } = session.scope;
  const close = () => go(link({}));
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <Shell session={session} current={placeOf(route.path[0])} onAgain={() => again((count) => count + 1)}>
        <Guarded key={`${session.client.keyId}/${tenant}/${community}/${place}/${round}`}>
          <View session={session} id={route.path[1] ?? ""} />
        </Guarded>
      </Shell>
      {route.query.dialog === "help" && <Help onClose={close} />}
      {route.query.dialog === "scope" && session.level === "system" && (
        <ScopeDialog session={session} onClose={close} />
      )}
    </>
  );
}

function skip(event: MouseEvent) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
