"""The request that fetches webhooks."""

from typing import Annotated

from pydantic import Field

from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, explain


class FetchIn(ApiModel):
    """A page of the community's webhooks, newest first; `tags`: only webhooks that have any of them."""

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

    @property
    def index(self) -> int:
        """Return the page's number, from 0."""
        return self.p_index or 0

    @property
    def size(self) -> int:
        """Return how many webhooks a page has."""
        return self.p_size or limits.PAGE_SIZE_DEFAULT
