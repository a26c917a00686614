/** The frame around every view: navigation, community, theme, and notices of the page about itself. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "../parts/icons";
import { Button, IconButton, Segments } from "../parts/ui";
import { useKnownCounts } from "../state/counts";
import { go, link } from "../state/router";
import { forgetKeys, type Session } from "../state/session";
import { number } from "../text/format";
import { Brand } from "./brand";
import { ConnectionBanner } from "./connection_banner";
import { FailureBanner } from "./failures";
import { setTheme, type Theme, theme } from "./theme";

const NAVIGATION: [string, IconName, string][] = [
  ["webhooks", "hooks", "Webhooks"],
  ["deliveries", "flow", "Deliveries"],
  ["explain", "help", "Explain"],
  ["events", "book", "Event catalogue"],
];

interface ShellProps {
  session: Session;
  /** The view that is shown. */
  current: string;
  /** Draw the view anew. */
  onAgain: () => void;
  children: ComponentChildren;
}

export function Shell({ session, current, onAgain, children }: ShellProps) {
  const [isOpen, setOpen] = useState(false);
  const { tenant, community } = session.scope;
  const counts = useKnownCounts(session, current);
  const close = () => setOpen(false);
  const top = useRef<HTMLElement>(null);
  // Before the menu is seen: an effect after the paint would miss a key.
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const onKey = (event: KeyboardEvent) => event.key === "Escape" && close();
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
      // An element of the menu that had the focus went with it.
      if (isLost()) top.current?.querySelector("button")?.focus();
    };
  }, [isOpen]);
  const item = ([name, icon, text]: [string, IconName, string]) => (
    <a key={name} href={`#/${name}`} aria-current={name === current ? "page" : undefined} onClick={close}>
      <Icon name={icon} />
      {text}
      {name === "webhooks" && counts && counts.webhooks.total > 0 && (
        <span class="count">{number(counts.webhooks.total)}</span>
      )}
      {name === "deliveries" && counts && counts.undelivered.dead > 0 && (
        <span class="count alert">
          {number(counts.undelivered.dead)}
          {!counts.isExact && "+"} dead
        </span>
      )}
    </a>
  );
  return (
    <div class="shell">
      <header class="top" ref={top}>
        <IconButton
          icon="menu"
          label="Menu"
          look="quiet"
          expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
        <Brand />
        <span class="push meta clip">
          {tenant} / {community}
        </span>
      </header>
      <aside class={`side ${isOpen ? "open" : ""}`} aria-label="Navigation">
        <Brand />
        <ScopeBox session={session} onOpen={close} />
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
        <ConnectionBanner />
        <FailureBanner onAgain={onAgain} />
        <div class="page">{children}</div>
      </main>
    </div>
  );
}

/** Tell whether the focus is on nothing that is seen. */
function isLost(): boolean {
  const focused = document.activeElement;
  return !focused || focused === document.body || !focused.checkVisibility();
}

/** The community that is shown; a system license may choose another. */
function ScopeBox({ session, onOpen }: { session: Session; onOpen: () => void }) {
  const { tenant, community } = session.scope;
  const inside = (
    <>
      <b class="clip">
        {tenant} / {community}
      </b>
      <span class="meta">tenant / community</span>
    </>
  );
  if (session.level !== "system") return <div class="scope">{inside}</div>;
  const choose = () => {
    onOpen();
    go(link({ dialog: "scope" }));
  };
  return (
    <button type="button" class="scope" aria-haspopup="dialog" onClick={choose}>
      {inside}
      <Icon name="down" />
    </button>
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
        <Button look="sm quiet" onClick={forgetKeys}>
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
