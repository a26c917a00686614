"""The request that fetches webhooks."""

from typing import Annotated, Literal

from pydantic import Field

from webhooks.domain.health import State
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, explain
from webhooks.services.webhook_pages import WebhookFilter


class FetchIn(ApiModel):
    """A page of the community's webhooks, newest first.

    `tags`: only webhooks that have any of them; `state`: only those in it; `name`: only those that begin so.
    """

    p_index: (
        Annotated[
            int,
            Field(ge=0, le=limits.PAGE_INDEX),
            fields.INTEGRAL,
            explain(f"must be a whole number from 0 to {limits.PAGE_INDEX}"),
        ]
        | None
    ) = None
    p_size: (
        Annotated[
            int,
            Field(ge=1, le=limits.PAGE_SIZE),
            fields.INTEGRAL,
            explain(f"must be a whole number from 1 to {limits.PAGE_SIZE}"),
        ]
        | None
    ) = None
    tags: fields.Tags | None = None
    state: (
        Annotated[
            Literal["failing", "held", "slow", "paused", "disabled"],
            explain('must be "failing", "held", "slow", "paused" or "disabled"'),
        ]
        | None
    ) = None
    name: fields.Name | None = None

    @property
    def index(self) -> int:
        """Return the page's number, from 0."""
        return self.p_index or 0

    @property
    def size(self) -> int:
        """Return how many webhooks a page has."""
        return self.p_size or limits.PAGE_SIZE_DEFAULT

    @property
    def wanted(self) -> WebhookFilter:
        """Return which webhooks are wanted."""
        state = State(self.state) if self.state else None
        return WebhookFilter(tags=self.tags or (), state=state, name=self.name)
