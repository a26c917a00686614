"""Every way a request or an event can be wrong, as one shallow tree.

WebhooksError
├── InvalidInputError       the request says something it must not; names every wrong field
├── UnauthenticatedError    who calls is not proven
├── ForbiddenError          who calls is known, and may not
├── NotFoundError           absent, or not yours: the same answer
├── ConflictError           a change lost a race that it cannot repeat
│   └── CommunityFullError  the community has as many webhooks as the deployment allows
├── UnavailableError        a service that we need did not answer; a change may have been made
├── InvalidEventError       an event that no webhook can ever get
└── MalformedPackError      a message on the deliveries queue that is not ours
"""

from collections.abc import Sequence


class WebhooksError(Exception):
    """Base of all; its text is safe to show to the caller."""


class InvalidInputError(WebhooksError):
    """The input is refused; `problems` has one sentence for each wrong field."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class UnauthenticatedError(WebhooksError):
    """The caller's license, key or request id does not hold."""


class ForbiddenError(WebhooksError):
    """The caller's license does not reach this."""


class NotFoundError(WebhooksError):
    """It does not exist, or it is another tenant's."""


class ConflictError(WebhooksError):
    """Somebody else changed the same thing at the same time."""


class CommunityFullError(ConflictError):
    """The community has `total` webhooks, and may have `limit`."""

    def __init__(self, total: int, limit: int) -> None:
        super().__init__(
            f"this community has {total} webhooks, and this deployment allows {limit}; delete some, or ask "
            "the operator to raise WebhooksPerCommunity"
        )


class UnavailableError(WebhooksError):
    """A service that this needs did not answer."""


class InvalidEventError(WebhooksError):
    """The text on the events queue is no event; the text says why."""


class MalformedPackError(WebhooksError):
    """The text on the deliveries queue is no pack of deliveries."""
