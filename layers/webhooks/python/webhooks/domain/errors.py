"""Every error of ours, as one shallow tree.

WebhooksError
├── InvalidInputError       the request breaks a rule; the text names every wrong field
│   └── InvalidWebhookError the fields of a webhook do not fit together
├── UnauthenticatedError    the caller's identity is not proven
├── ForbiddenError          the caller is known, and may not do this
├── NotFoundError           absent, or another tenant's: the same response
├── ConflictError           a change lost a race that it cannot repeat
│   ├── CommunityFullError  the community has as many webhooks as the deployment allows
│   ├── TenantMovingError    the tenant moves to another cell, or has moved
│   └── TooManyReplaysError  the community has as many running replays as it may have
├── TooManyRequestsError    the caller asked too often
├── UnavailableError        a service behind ours did not answer; a change may have been made
├── InvalidEventError       a text on the events queue that no webhook can ever get
├── MalformedPackError      a text on the deliveries queue that is no pack
├── MalformedTaskError      a text on the recovery queue that is no task
├── AlreadyProcessedError   the request has an idempotency record
├── StaleError              a stored object changed after it was read
├── CorruptError            a stored item cannot be read
├── NewerFormError          a form of a later release; it is both an UnavailableError and a CorruptError
├── CredentialMissingError  the secret that a webhook names does not exist
└── EndpointRefusedError    the service may not connect to an endpoint

The first eight are responses of the API; each of the others is handled where it is raised, or is a fault.
"""

from collections.abc import Sequence

from webhooks.domain.values import value_type


class WebhooksError(Exception):
    """Base of all; its text holds no secret."""


@value_type(frozen=True, slots=True)
class Problem:
    """A wrong field of a webhook: its path of field names, such as ("endpoint", "url"), and the rule.

    The rule names other fields in braces, such as `{auth_type}` or `{endpoint.url}`. No path: all fields.
    """

    path: tuple[str, ...]
    rule: str

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.rule}" if self.path else self.rule


class InvalidInputError(WebhooksError):
    """The input is refused; `problems` has one sentence for each wrong field."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class InvalidWebhookError(InvalidInputError):
    """The fields of a webhook do not fit together; `wrong` names them as the domain does."""

    def __init__(self, wrong: Sequence[Problem]) -> None:
        super().__init__([str(problem) for problem in wrong])
        self.wrong = tuple(wrong)


class UnauthenticatedError(WebhooksError):
    """The caller's license, key or request id does not hold."""


class ForbiddenError(WebhooksError):
    """The caller's license does not reach this."""


class NotFoundError(WebhooksError):
    """It does not exist, or it is another tenant's."""


class ConflictError(WebhooksError):
    """Another request changed the same webhook at the same time."""


class CommunityFullError(ConflictError):
    """The community has `total` webhooks, and may have `limit`."""

    def __init__(self, total: int, limit: int) -> None:
        super().__init__(
            f"this community has {total} webhooks, and this deployment allows {limit}; delete some, or ask "
            "the operator to raise WebhooksPerCommunity"
        )


class TenantMovingError(ConflictError):
    """The tenant's webhooks cannot be changed here while they move; `seconds` until it is worth a try."""

    seconds = 30

    def __init__(self) -> None:
        super().__init__(
            "this tenant's webhooks are being moved to another cell, or were moved: nothing was changed; "
            "send the same request again in a minute, to the API that the directory of cells names"
        )


class TooManyReplaysError(ConflictError):
    """The community has `limit` running replays, which is the most."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"this community has {limit} running replays, the most it may have; cancel one, or wait"
        )


class TooManyRequestsError(WebhooksError):
    """The caller asked too often, and may ask again after `seconds`."""

    def __init__(self, text: str, *, seconds: int) -> None:
        super().__init__(text)
        self.seconds = seconds


class UnavailableError(WebhooksError):
    """A service behind ours did not answer."""


class InvalidEventError(WebhooksError):
    """The text on the events queue is no event; the error's text says why."""


class MalformedPackError(WebhooksError):
    """The text on the deliveries queue is no pack of deliveries."""


class MalformedTaskError(WebhooksError):
    """The text on the recovery queue is no task."""


class AlreadyProcessedError(WebhooksError):
    """The request has an idempotency record, which has its response."""


class StaleError(WebhooksError):
    """The stored object is not the one that was read before."""


class CorruptError(WebhooksError):
    """A stored item cannot be read; the text names it, and holds nothing of it.

    `sequence`: of an index entry.
    """

    sequence = 0


class NewerFormError(UnavailableError, CorruptError):
    """A message, an item or a secret has a form that only a later release reads; the text names it.

    Readers leave it as it is, as in an outage: it ends when that release is back.
    """


class CredentialMissingError(WebhooksError):
    """The secret that a webhook names does not exist."""


class EndpointRefusedError(WebhooksError):
    """The service may not connect to an endpoint's URL, or its host has no address; the text says why."""
