"""The request of the ECDSA helper."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from webhooks.entrypoints.api.schemas.base import ApiModel, explain, invalid

Text = Annotated[str, explain("must be a string")]


class EcdsaIn(ApiModel):
    """A text and the two keys; `data` absent is the empty text. `dataStr` is another name for `data`."""

    data: Text | None = Field(default=None, repr=False)
    public_key: Text
    private_key: Text = Field(repr=False)

    @model_validator(mode="before")
    @classmethod
    def _read_data_str(cls, body: Any) -> Any:
        """Read `dataStr`, as the sibling services call it, as `data`."""
        if not isinstance(body, dict) or "dataStr" not in body:
            return body
        text = body["dataStr"]
        if body.get("data", text) != text:
            raise invalid("dataStr: is another name for data, give one of them")
        return {**{name: value for name, value in body.items() if name != "dataStr"}, "data": text}
