"""The versions of what one release writes and another one reads: messages of queues, items, secrets.

A form without a version is version 1, so that it costs no byte until it changes. A reader takes every version
up to its own, and refuses a newer one, which a release left behind that was rolled back: what has it stays
where it is, until that release is back (docs/releases.md).
"""

from typing import Final

from webhooks.domain.errors import NewerFormError
from webhooks.domain.values import value_type

VERSION: Final = "v"  # the field, or the attribute, of a version above 1


@value_type(frozen=True, slots=True)
class Form:
    """What is stored or queued, and the newest version of it that this release reads."""

    name: str
    newest: int = 1

    def require_known(self, version: object) -> None:
        """Check a version. Raises NewerFormError, and ValueError for what is no version at all."""
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise ValueError("not a version")
        if version > self.newest:
            raise NewerFormError(
                f"newer form: {self.name} of version {version}, and this release reads {self.newest} at most"
            )


PACK: Final = Form("pack")
EVENT_SLICE: Final = Form("slice of an event", newest=2)
ARRAY_PART: Final = Form("rest of an array")
TASK: Final = Form("recovery task")
LOG_ITEM: Final = Form("item of the delivery log")
SHARED_ITEM: Final = Form("shared item of the delivery log")
SEEN_WINDOW: Final = Form("window of seen events")
PAYLOAD: Final = Form("payload")
REPLAY: Final = Form("replay")
WEBHOOK_ITEM: Final = Form("webhook", newest=2)  # 2: its credential is sealed in it
INDEX_ENTRY: Final = Form("index entry")
INDEX_FIELDS: Final = Form("fields of an index", newest=2)
IDEMPOTENCY_RECORD: Final = Form("idempotency record")
LICENSE: Final = Form("license")
KEY_PAIRS: Final = Form("service keys", newest=2)
MASTER: Final = Form("master of webhooks' secrets")
KEY_PARTS: Final = Form("keys in one secret")
CREDENTIAL: Final = Form("credential")
