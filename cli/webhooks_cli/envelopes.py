"""Opens the envelopes in a response of the API: credentials, signing secrets, key secrets."""

from typing import Any

from signing import SigningError, unseal

SECRET_FIELDS = frozenset({"signingSecret", "keySecret"})
SECRET_OBJECTS = frozenset({"credential"})


def open_envelopes(response: Any, key: bytes) -> tuple[Any, list[str]]:
    """Return the response with its envelopes opened, and the paths of those that this key does not open."""
    closed: list[str] = []
    return _open(response, key, path="", sealed=False, closed=closed), closed


def _open(value: Any, key: bytes, *, path: str, sealed: bool, closed: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: _open(
                inner,
                key,
                path=f"{path}.{name}" if path else name,
                sealed=sealed or name in SECRET_OBJECTS or (name in SECRET_FIELDS and isinstance(inner, str)),
                closed=closed,
            )
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [
            _open(inner, key, path=f"{path}[{index}]", sealed=sealed, closed=closed)
            for index, inner in enumerate(value)
        ]
    if not sealed or not isinstance(value, str):
        return value
    try:
        return unseal(key, value)
    except SigningError:
        closed.append(path)
        return value
