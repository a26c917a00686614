/** The shell around every view, and which view an address shows. */
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Help } from "./parts/help";
import { Icon, type IconName } from "./parts/icons";
import { setTheme, type Theme, theme } from "./parts/theme";
import { Toast } from "./parts/toast";
import { Button, IconButton, Segments } from "./parts/ui";
import { go, link, useRoute } from "./router";
import { change, type Session, useSession } from "./session";
import { Connect } from "./views/connect";
import { Deliveries } from "./views/deliveries";
import { Events } from "./views/events";
import { Explain } from "./views/explain";
import { System } from "./views/system";
import { WebhookView } from "./views/webhook";
import { WebhookForm } from "./views/webhook_form";
import { Webhooks } from "./views/webhooks";

/** What every view gets. */
export interface ViewProps {
  session: Session;
  /** The webhook of `#/webhooks/<id>`. */
  id: string;
}

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
  const place = route.path.join("/");
  useEffect(() => {
    scrollTo(0, 0);
    const heading = document.querySelector("h1");
    document.title = heading?.textContent ? `${heading.textContent.trim()} · Webhooks` : "Webhooks";
    heading?.focus({ preventScroll: true });
  }, [place, Boolean(session)]);

  if (!session || route.path[0] === "connect") return <Connect />;
  const View = viewOf(route.path);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <Shell session={session} current={route.path[0] ?? "webhooks"}>
        <View
          key={`${session.scope.tenant}/${session.scope.community}/${place}`}
          session={session}
          id={route.path[1] ?? ""}
        />
      </Shell>
      {route.query.dialog === "help" && <Help onClose={() => go(link({}))} />}
      <Toast />
    </>
  );
}

function skip(event: MouseEvent) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

const NAVIGATION: [string, IconName, string][] = [
  ["webhooks", "hooks", "Webhooks"],
  ["deliveries", "flow", "Deliveries"],
  ["explain", "help", "Explain"],
  ["events", "book", "Event catalogue"],
];

function Shell(props: { session: Session; current: string; children: preact.ComponentChildren }) {
  const { session, current } = props;
  const [isOpen, setOpen] = useState(false);
  const { tenant, community } = session.scope;
  const item = ([name, icon, text]: [string, IconName, string]) => (
    <a
      key={name}
      href={`#/${name}`}
      aria-current={name === current ? "page" : undefined}
      onClick={() => setOpen(false)}
    >
      <Icon name={icon} />
      {text}
    </a>
  );
  return (
    <div class="shell">
      <header class="top">
        <IconButton
          icon="menu"
          label="Menu"
          look="quiet"
          expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
        <Brand />
        <span class="push meta">
          {tenant} / {community}
        </span>
      </header>
      <aside class={`side ${isOpen ? "open" : ""}`} aria-label="Navigation">
        <Brand />
        <div class="scope">
          <b>
            {tenant} / {community}
          </b>
          <span class="meta">tenant / community</span>
        </div>
        <nav class="nav" aria-label="Main">
          {NAVIGATION.map(item)}
          {session.level === "system" && (
            <>
              <h2>Operator</h2>
              {item(["system", "users", "System"])}
            </>
          )}
        </nav>
        <SideFooter session={session} />
      </aside>
      <main class="main" id="main" tabIndex={-1}>
        <Offline />
        <div class="page">{props.children}</div>
      </main>
    </div>
  );
}

function SideFooter({ session }: { session: Session }) {
  const [chosen, choose] = useState<Theme>(theme);
  return (
    <footer>
      <div class="whoami">
        <Icon name="lock" />
        <span class="mono meta clip">{session.client.keyId.slice(0, 16)}…</span>
        <span class="meta">{session.level === "system" ? "system license" : "keys in this tab only"}</span>
      </div>
      <div class="row nw">
        <Button look="sm quiet" onClick={() => change(undefined)}>
          Forget keys
        </Button>
        <span class="push" />
        <IconButton icon="help" label="Keyboard shortcuts (?)" onClick={() => go(link({ dialog: "help" }))} />
      </div>
      <Segments
        label="Theme"
        options={[
          ["auto", "Auto"],
          ["light", "Light"],
          ["dark", "Dark"],
        ]}
        value={chosen}
        onChange={(next) => {
          setTheme(next);
          choose(next);
        }}
      />
    </footer>
  );
}

/** Says that the network is away; every load goes on by itself when it is back. */
function Offline() {
  const [isOnline, set] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => set(navigator.onLine);
    addEventListener("online", update);
    addEventListener("offline", update);
    return () => {
      removeEventListener("online", update);
      removeEventListener("offline", update);
    };
  }, []);
  if (isOnline) return null;
  return (
    <div class="banner" role="status">
      <Icon name="wifi" />
      You are offline. The page shows what it has, and goes on when the network is back.
    </div>
  );
}

export function Brand() {
  return (
    <div class="brand">
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path
          d="M2.5 13V8M6.5 13V5M10.5 13V2.5M14.5 13V6"
          fill="none"
          stroke="currentColor"
          stroke-width="2"
        />
        <path d="M18 14v4" class="s-bad" stroke-width="2" />
        <path d="M1 14h16" stroke="currentColor" opacity=".4" />
      </svg>
      Webhooks
    </div>
  );
}
