"""The requests that fetch deliveries from the log."""

import re
from typing import Annotated, Literal

from pydantic import Field

from webhooks.domain.delivery_log import LATEST, LogKey, LogPage, LogQuery, Outcome, log_key_of
from webhooks.domain.errors import InvalidInputError
from webhooks.domain.log_sharing import SPAN
from webhooks.domain.scope import Scope
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.cursors import REFUSED, QueryParts, read_cursor, write_cursor
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, explain

Outcomes = Annotated[
    Literal["delivered", "retrying", "dead", "held", "skipped"],
    explain('must be "delivered", "retrying", "dead", "held" or "skipped"'),
]
Undelivered = Annotated[Literal["retrying", "dead", "held"], explain('must be "retrying", "dead" or "held"')]
Size = Annotated[
    int,
    Field(ge=1, le=limits.PAGE_SIZE),
    fields.INTEGRAL,
    explain(f"must be a whole number from 1 to {limits.PAGE_SIZE}"),
]
REACH = "."  # in a cursor, before the reach of its page
_REACH = re.compile(r"[0-9]{1,4}", re.ASCII)
Cursor = Annotated[str, explain("must be the cursor of the page before")]


class _PageIn(ApiModel):
    event_name: fields.EventName | None = None
    since: fields.Time | None = None
    until: fields.Time | None = None
    cursor: Cursor | None = None
    size: Size | None = None

    @property
    def page_size(self) -> int:
        """Return how many deliveries a page has."""
        return self.size or limits.PAGE_SIZE_DEFAULT

    def _query(self, scope: Scope, webhook_id: str | None, outcome: str | None) -> LogQuery:
        since = 0 if self.since is None else self.since
        until = LATEST if self.until is None else self.until
        if since > until:
            raise InvalidInputError(["since: must not be later than until"])
        return LogQuery(
            scope,
            webhook_id,
            outcome=Outcome(outcome) if outcome else None,
            event_name=self.event_name,
            since=since,
            until=until,
        )

    def after(self, query: LogQuery) -> LogKey | None:
        """Return the delivery behind which the page begins. Raises InvalidInputError."""
        if self.cursor is None:
            return None
        return self._place(query)[0]

    def reach(self, query: LogQuery) -> int | None:
        """Return the `reach` of the page before, where the cursor has it. Raises InvalidInputError."""
        return None if self.cursor is None else self._place(query)[1]

    def _place(self, query: LogQuery) -> tuple[LogKey, int | None]:
        last, separator, reach = read_cursor(self.cursor or "", _parts(query)).partition(REACH)
        key = log_key_of(last)
        if key is None or (separator and not (_REACH.fullmatch(reach) and int(reach) <= SPAN)):
            raise InvalidInputError([REFUSED])
        return key, int(reach) if separator else None


class DeliveriesIn(_PageIn):
    """A page of a webhook's deliveries, newest first."""

    outcome: Outcomes | None = None

    def query(self, scope: Scope, webhook_id: str) -> LogQuery:
        """Return the query. Raises InvalidInputError where the times contradict each other."""
        return self._query(scope, webhook_id, self.outcome)


class UndeliveredIn(_PageIn):
    """A page of a community's deliveries that are not delivered, newest first."""

    outcome: Undelivered | None = None

    def query(self, scope: Scope) -> LogQuery:
        """Return the query. Raises InvalidInputError where the times contradict each other."""
        return self._query(scope, None, self.outcome)


def cursor_of(query: LogQuery, page: LogPage) -> str | None:
    """Return the cursor of the page behind another one."""
    if page.last is None:
        return None
    reach = "" if page.reach is None else f"{REACH}{page.reach}"
    return write_cursor(_parts(query), page.last.delivery_id + reach)


def _parts(query: LogQuery) -> QueryParts:
    return (
        "deliveries",
        query.scope.tenant_id,
        query.scope.community_id,
        query.webhook_id,
        query.outcome.value if query.outcome else None,
        query.event_name,
        query.since,
        query.until,
    )
