"""The request of the ECDSA helper."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from webhooks.entrypoints.api.schemas.base import ApiModel, OtherName, explain

Text = Annotated[str, explain("must be a string")]


class EcdsaIn(ApiModel):
    """A text and the two keys; `data` absent is the empty text. `dataStr` is another name for `data`."""

    other_names: ClassVar[Mapping[str, OtherName]] = {
        "dataStr": OtherName("data")
    }  # as the sibling services call it

    data: Text | None = Field(default=None, repr=False)
    public_key: Text
    private_key: Text = Field(repr=False)
