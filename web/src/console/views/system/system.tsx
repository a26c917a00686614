/** The whole deployment, for its operator: communities, keys, and the levels of licenses. */
import type { FunctionComponent } from "preact";
import type { ViewProps } from "../../app";
import { Head } from "../../parts/ui";
import { useRoute } from "../../state/router";
import type { Session } from "../../state/session";
import { CommunitiesTab } from "./system_communities";
import { KeysTab } from "./system_keys";
import { LicensesTab } from "./system_licenses";

type Tab = FunctionComponent<{ session: Session }>;
const TABS: [string, string, Tab][] = [
  ["communities", "Communities", CommunitiesTab],
  ["keys", "Service keys", KeysTab],
  ["licenses", "Licenses", LicensesTab],
];

export function System({ session }: ViewProps) {
  const wanted = useRoute().query.tab;
  const [name, , Body] = TABS.find(([each]) => each === wanted) ?? TABS[0]!;
  return (
    <>
      <Head
        title="System"
        sub={
          <>
            For a <b>system</b> license of every tenant and community only.
          </>
        }
      />
      <nav class="tabs" aria-label="System">
        {TABS.map(([each, text]) => (
          <a key={each} href={`#/system?tab=${each}`} aria-current={each === name ? "true" : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <div class="bar" />
      <Body key={name} session={session} />
    </>
  );
}
