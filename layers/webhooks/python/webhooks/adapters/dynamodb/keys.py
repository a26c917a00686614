"""Keys of the subscriptions table.

Tenants' and communities' ids have no '#' in them (domain.scope); event names may, and come last; tags may
have any character, so a key has their hash.
"""

from hashlib import sha256

from webhooks.adapters.dynamodb.items import Item
from webhooks.domain.scope import Scope

HEAD = "HEAD"  # version, total and counts of a community
NEXT = "NEXT"  # the counter of its sequence numbers
EPOCH = {"pk": {"S": "EPOCH"}, "sk": {"S": "EPOCH"}}  # a count of all changes of webhooks
RESTORING = {
    "pk": {"S": "RESTORING"},
    "sk": {"S": "RESTORING"},
}  # present while an operator restores the table
TAG_HASH = 32  # hex characters


def community_key(scope: Scope, sk: str) -> Item:
    """Return the key of an item in a community's partition."""
    return {"pk": {"S": community_pk(scope)}, "sk": {"S": sk}}


def webhook_key(scope: Scope, sequence: int) -> Item:
    """Return a webhook's key."""
    return community_key(scope, webhook_sk(sequence))


def entry_key(scope: Scope, event_name: str, sequence: int) -> Item:
    """Return the key of an index entry."""
    return {"pk": {"S": listeners_pk(scope, event_name)}, "sk": {"S": entry_sk(sequence)}}


def community_pk(scope: Scope) -> str:
    """Return the partition of a community's webhooks, bitmaps and totals."""
    return f"C#{scope.tenant_id}#{scope.community_id}"


def listeners_pk(scope: Scope, event_name: str) -> str:
    """Return the partition of the index entries of an event's name."""
    return f"E#{scope.tenant_id}#{scope.community_id}#{event_name}"


def fields_key(scope: Scope, event_name: str) -> Item:
    """Return the key of the fields by which a name's listeners are found: in front of its entries."""
    return {"pk": {"S": listeners_pk(scope, event_name)}, "sk": {"S": entry_sk(0)}}


def conditional_pk(scope: Scope, event_name: str) -> str:
    """Return the partition of all listeners of a name that are found by a condition.

    As the next one, it begins as no other name's: a tenant's id is not empty.
    """
    return f"E##ALL#{scope.tenant_id}#{scope.community_id}#{event_name}"


def condition_pk(scope: Scope, event_name: str, digest: str) -> str:
    """Return the partition of the listeners of a name that a condition finds."""
    return f"E##BY#{scope.tenant_id}#{scope.community_id}#{digest}#{event_name}"


def webhook_sk(sequence: int) -> str:
    """Return a webhook's sort key."""
    return f"W#{sequence:010d}"


def entry_sk(sequence: int) -> str:
    """Return an index entry's sort key."""
    return f"{sequence:010d}"


def live_sk(segment: int) -> str:
    """Return the sort key of the bitmap of all webhooks of a segment."""
    return f"LIVE#{segment:08d}"


def tag_prefix(tag: str) -> str:
    """Return the prefix of the sort keys of a tag's bitmaps."""
    return f"TAG#{sha256(tag.encode('utf-8', 'surrogatepass')).hexdigest()[:TAG_HASH]}#"


def tag_sk(tag: str, segment: int) -> str:
    """Return the sort key of a tag's bitmap of a segment."""
    return f"{tag_prefix(tag)}{segment:08d}"


def segment_in(sk: str) -> int:
    """Read the segment in a bitmap's sort key."""
    return int(sk.rpartition("#")[2])
