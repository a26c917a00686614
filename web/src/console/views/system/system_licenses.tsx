/** The levels of licenses. The API lists no license: a command does. */
import { Copy, Note } from "../../parts/ui";

const LEVELS = [
  [
    "system",
    "Webhooks and deliveries, with credentials (encrypted for the caller), of every tenant and community or of those it is issued for. One that is for all of them also opens this page.",
  ],
  ["service", "Webhooks and deliveries of one community."],
  ["service_ext", "The same as service, for programs outside the platform."],
];
const COMMANDS = [
  ["List them", "webhooks license list"],
  [
    "Issue one",
    "webhooks license issue --level service --tenant acme --community main --expires 365d --label NAME",
  ],
  ["Disable one", "webhooks license disable NAME"],
] as const;

export function LicensesTab() {
  return (
    <div class="stack">
      <section class="scroll" aria-label="Levels">
        <table class="tbl">
          <thead>
            <tr>
              <th>Level</th>
              <th>May do</th>
            </tr>
          </thead>
          <tbody>
            {LEVELS.map(([level, may]) => (
              <tr key={level}>
                <td>
                  <b>{level}</b>
                </td>
                <td>{may}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Note icon="help">
        The service stores only hashes of licenses, and its API lists none. The operator's command line does,
        with access to the deployment's account. A disabled license may be accepted for another minute.
      </Note>
      <dl class="kv">
        {COMMANDS.map(([purpose, command]) => (
          <>
            <dt>{purpose}</dt>
            <dd class="row tight nw">
              <code>{command}</code>
              <Copy text={command} what={`command: ${purpose.toLowerCase()}`} />
            </dd>
          </>
        ))}
      </dl>
    </div>
  );
}
