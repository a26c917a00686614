import type { ViewProps } from "../app";
import { useLoad } from "../load";
import { Trouble } from "../parts/trouble";
import { Button, Head } from "../parts/ui";
import { inScope } from "../session";
import type { WebhookPage } from "../types";

export function Webhooks({ session }: ViewProps) {
  const path = inScope(session.scope, "webhooks", "fetch");
  const { data, error, retryAt, reload } = useLoad(
    (signal) => session.client.call<WebhookPage>("POST", path, { pSize: 25 }, signal),
    [path],
  );
  return (
    <>
      <Head title="Webhooks">
        <Button look="primary" icon="plus" href="#/webhooks/new">
          Create webhook
        </Button>
      </Head>
      {error && <Trouble error={error} retryAt={retryAt} onRetry={reload} />}
      <ul>
        {data?.data.map((each) => (
          <li key={each._id}>{each.name}</li>
        ))}
      </ul>
    </>
  );
}
