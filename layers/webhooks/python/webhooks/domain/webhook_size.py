"""How large a webhook and one change of it may be: a transaction writes all of it, with its index."""

from collections.abc import Sequence

from webhooks.domain.errors import Problem
from webhooks.domain.webhook import Definition

MAX_WRITES = 96  # of the 100: the webhook, its record, the totals, the check that the tenant does not move
MAX_NAMES_AND_TAGS = MAX_WRITES - 1  # with the bitmap of all webhooks: with more it could not be deleted
MAX_DEFINITION = 65_536  # bytes: with it in 50 index entries a transaction stays below 4 MB


def size_problems(definition: Definition, *, definition_bytes: int, writes: int) -> Sequence[Problem]:
    """Return the first limit that is exceeded.

    `writes`: how many bitmaps and index entries the change writes or deletes.
    """
    names_and_tags = len(set(definition.event_names)) + len(set(definition.tags))
    if names_and_tags > MAX_NAMES_AND_TAGS:
        return [
            Problem(
                (),
                f"{{event_names}}, {{tags}}: together at most {MAX_NAMES_AND_TAGS}, "
                f"these are {names_and_tags}",
            )
        ]
    if definition_bytes > MAX_DEFINITION:
        return [
            Problem(
                (),
                f"the webhook: as JSON it may have {MAX_DEFINITION} bytes, it has {definition_bytes}; "
                "shorten its query",
            )
        ]
    if writes > MAX_WRITES:
        return [
            Problem(
                (),
                f"{{event_names}}, {{tags}}: one change may add, remove or rewrite {MAX_WRITES} of them, "
                f"this one does {writes}; send two changes, each with a part",
            )
        ]
    return []
