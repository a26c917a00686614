"""The requests that begin a replay and list replays."""

from typing import Annotated, Literal

from pydantic import Field

from webhooks.domain.delivery_log import LATEST, LogQuery, Outcome
from webhooks.domain.errors import InvalidInputError
from webhooks.domain.replay import DEFAULT_RATE, MAX_RATE
from webhooks.domain.scope import Scope
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.cursors import QueryParts, read_cursor, write_cursor
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, explain
from webhooks.entrypoints.api.schemas.deliveries import Cursor, Size
from webhooks.services.replays import Wanted

MAX_IDS = limits.PAGE_SIZE  # as many as a page of the log shows
ID_LENGTH = 128

DeliveryIds = Annotated[
    list[Annotated[str, Field(max_length=ID_LENGTH), explain("must be the id of a delivery")]],
    Field(min_length=1, max_length=MAX_IDS),
    explain(f"must be an array of 1 to {MAX_IDS} delivery ids"),
]
ReplayedOutcome = Annotated[
    Literal["dead", "held", "delivered", "skipped"],
    explain('must be "dead", "held", "delivered" or "skipped"; retrying ones are sent again by themselves'),
]
Rate = Annotated[
    int,
    Field(ge=1, le=MAX_RATE),
    fields.INTEGRAL,
    explain(f"must be a whole number from 1 to {MAX_RATE}"),
]
ONE_WAY = "deliveryIds: give deliveryIds alone, or webhookId and outcome with their filters"


class ReplayIn(ApiModel):
    """Deliveries to send again: by their ids, or by a filter on the log of a webhook."""

    delivery_ids: DeliveryIds | None = None
    webhook_id: Annotated[str, explain("must be the id of a webhook")] | None = None
    outcome: ReplayedOutcome | None = None
    event_name: fields.EventName | None = None
    since: fields.Time | None = None
    until: fields.Time | None = None
    dry_run: fields.Flag = False
    rate: Rate = DEFAULT_RATE

    def wanted(self, scope: Scope) -> Wanted:
        """Return the deliveries that it asks for. Raises InvalidInputError."""
        filters = (self.webhook_id, self.outcome, self.event_name, self.since, self.until)
        if self.delivery_ids is not None:
            if any(each is not None for each in filters):
                raise InvalidInputError([ONE_WAY])
            return Wanted(tuple(dict.fromkeys(self.delivery_ids)), None, self.rate)
        if self.webhook_id is None and self.outcome is None:
            raise InvalidInputError([ONE_WAY])
        missing = [
            f"{name}: is required without deliveryIds"
            for name, value in (("webhookId", self.webhook_id), ("outcome", self.outcome))
            if value is None
        ]
        since = 0 if self.since is None else self.since
        until = LATEST if self.until is None else self.until
        if since > until:
            missing.append("since: must not be later than until")
        if missing:
            raise InvalidInputError(missing)
        query = LogQuery(
            scope,
            self.webhook_id,
            outcome=Outcome(str(self.outcome)),
            event_name=self.event_name,
            since=since,
            until=until,
        )
        return Wanted((), query, self.rate)


class ReplaysIn(ApiModel):
    """The query parameters of a page of replays."""

    cursor: Cursor | None = None
    size: Size | None = None

    @property
    def page_size(self) -> int:
        """Return how many replays a page has."""
        return self.size or limits.PAGE_SIZE_DEFAULT

    def after(self, scope: Scope) -> str | None:
        """Return the id behind which the page begins. Raises InvalidInputError."""
        return None if self.cursor is None else read_cursor(self.cursor, _parts(scope))


def cursor_of(scope: Scope, last: str | None) -> str | None:
    """Return the cursor of the page behind a replay."""
    return write_cursor(_parts(scope), last) if last else None


def _parts(scope: Scope) -> QueryParts:
    return "replays", scope.tenant_id, scope.community_id
