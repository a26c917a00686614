/** Chooses the community that is shown, for a system license: of the list, or by its names. */
import { useState } from "preact/hooks";
import { Dialog } from "../parts/dialog";
import { Trouble } from "../parts/trouble";
import { Button, FieldBlock, Input, Note } from "../parts/ui";
import { asApiError, useLoad } from "../state/load";
import { type Session, switchTo } from "../state/session";
import type { Communities } from "../state/types";

const SIZE = 25;
type Listed = Communities["data"];

export function ScopeDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const [tenant, setTenant] = useState("");
  const [community, setCommunity] = useState("");
  const [later, setLater] = useState<{ data: Listed; cursor?: string }>();
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const page = (cursor?: string, signal?: AbortSignal) =>
    session.client.call<Communities>("GET", pagePath(cursor, SIZE), undefined, signal);
  const { data, error, retryAt, reload } = useLoad((signal) => page(undefined, signal), []);
  const cursor = later ? later.cursor : data?.cursor;
  const all = [...(data?.data ?? []), ...(later?.data ?? [])];
  const shown = all.filter((each) => each.tenantId.includes(tenant) && each.communityId.includes(community));

  const more = async () => {
    setBusy(true);
    setProblem("");
    try {
      const next = await page(cursor);
      setLater({ data: [...(later?.data ?? []), ...next.data], cursor: next.cursor });
    } catch (failure) {
      setProblem(asApiError(failure).message);
    } finally {
      setBusy(false);
    }
  };
  const byName = () => {
    if (!tenant.trim() || !community.trim()) return setProblem("Enter a tenant and a community.");
    switchTo({ tenant: tenant.trim(), community: community.trim() });
  };
  return (
    <Dialog
      title="Choose a community"
      onClose={onClose}
      onSubmit={byName}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit">
            Open by name
          </Button>
        </>
      }
    >
      <div class="g2">
        <FieldBlock id="scope-tenant" label="Tenant">
          <Input id="scope-tenant" value={tenant} onValue={setTenant} />
        </FieldBlock>
        <FieldBlock id="scope-community" label="Community">
          <Input id="scope-community" value={community} onValue={setCommunity} />
        </FieldBlock>
      </div>
      {problem && (
        <Note tone="bad" icon="tri">
          {problem}
        </Note>
      )}
      {error && <Trouble error={error} retryAt={retryAt} onRetry={reload} />}
      {data && (
        <>
          <ul class="options" aria-label="Communities">
            {shown.map((each) => {
              const scope = { tenant: each.tenantId, community: each.communityId };
              const isCurrent =
                scope.tenant === session.scope.tenant && scope.community === session.scope.community;
              return (
                <li key={`${scope.tenant}/${scope.community}`}>
                  <button type="button" aria-current={isCurrent || undefined} onClick={() => switchTo(scope)}>
                    <b>{scope.tenant}</b> / {scope.community}
                  </button>
                </li>
              );
            })}
          </ul>
          {!shown.length && (
            <p class="meta">No community of the list has these names. One without webhooks opens by name.</p>
          )}
          {cursor && (
            <div class="row">
              <Button look="sm" onClick={more} busy={isBusy && "Loading"}>
                Show more
              </Button>
            </div>
          )}
        </>
      )}
    </Dialog>
  );
}

/** Return the path of a page of communities. */
export function pagePath(cursor: string | undefined, size: number): string {
  return `communities?${new URLSearchParams({ size: String(size), ...(cursor && { cursor }) })}`;
}
