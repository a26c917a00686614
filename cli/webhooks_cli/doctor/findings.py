"""A finding of a check, and the reasons for which a check finds nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`state`: ok, warning or failed. `text`: one sentence. `mend`: the command that mends it."""

    check: str
    state: str
    text: str
    mend: str = ""

    def document(self) -> Mapping[str, str]:
        return {"check": self.check, "state": self.state, "text": self.text, "mend": self.mend}


class DeniedError(Exception):
    """The caller has no permission for a call; `action` is its name in IAM."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class AbsentError(Exception):
    """A resource of the stack does not exist any more; the text is the call that says so."""


class UnansweredError(Exception):
    """AWS, or an emulator, has no usable response to a call; the text says which."""
