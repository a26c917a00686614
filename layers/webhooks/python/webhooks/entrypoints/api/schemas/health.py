"""The requests that ask for the health of endpoints, and for communities."""

from typing import Annotated

from pydantic import Field

from webhooks.domain.errors import InvalidInputError
from webhooks.domain.scope import IDENTIFIER, Scope
from webhooks.domain.webhook import WEBHOOK_ID
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.cursors import REFUSED, read_cursor, write_cursor
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, explain

_COMMUNITIES = ("communities",)  # of which a cursor is


class WebhooksHealthIn(ApiModel):
    """Webhooks whose health is wanted."""

    webhook_ids: Annotated[
        list[
            Annotated[
                str,
                Field(pattern=f"^{WEBHOOK_ID.pattern}$"),
                explain("must be a webhook's id: 24 hexadecimal digits"),
            ]
        ],
        Field(min_length=1, max_length=limits.HEALTH_WEBHOOKS),
        explain(f"must be an array of 1 to {limits.HEALTH_WEBHOOKS} ids of webhooks"),
    ]


class SeriesIn(ApiModel):
    """The time of a series."""

    since: fields.Time | None = None
    until: fields.Time | None = None

    def require_order(self) -> None:
        """Raise InvalidInputError where the times contradict each other."""
        if self.since is not None and self.until is not None and self.since > self.until:
            raise InvalidInputError(["since: must not be later than until"])


class CommunitiesIn(ApiModel):
    """A page of communities."""

    cursor: Annotated[str, explain("must be the cursor of the page before")] | None = None
    size: (
        Annotated[
            int,
            Field(ge=1, le=limits.PAGE_SIZE),
            explain(f"must be a whole number from 1 to {limits.PAGE_SIZE}"),
        ]
        | None
    ) = None

    @property
    def page_size(self) -> int:
        """Return how many communities a page has."""
        return self.size or limits.PAGE_SIZE_DEFAULT

    @property
    def after(self) -> Scope | None:
        """Return the community behind which the page begins. Raises InvalidInputError."""
        if self.cursor is None:
            return None
        tenant_id, _, community_id = read_cursor(self.cursor, _COMMUNITIES).partition("#")
        if not IDENTIFIER.fullmatch(tenant_id) or not IDENTIFIER.fullmatch(community_id):
            raise InvalidInputError([REFUSED])
        return Scope(tenant_id, community_id)


def communities_cursor(last: Scope) -> str:
    """Return the cursor of the page behind a community."""
    return write_cursor(_COMMUNITIES, f"{last.tenant_id}#{last.community_id}")
