"""Keys of the subscriptions table, and webhook ids, which hold the webhook's place in it.

Tenants' and communities' ids have no '#' in them (domain.scope); event names may, and come last; tags may
have anything, so a key has their hash.
"""

import re
from hashlib import sha256

from webhooks.domain.scope import Scope

HEAD = "HEAD"  # version, total and counts
NEXT = "NEXT"  # the sequence numbers' counter
_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
_WORD = 0xFFFF_FFFF
TAG_HASH = 32  # hex characters


def community_pk(scope: Scope) -> str:
    """Return the partition of a community's webhooks, bitmaps and totals."""
    return f"C#{scope.tenant_id}#{scope.community_id}"


def listeners_pk(scope: Scope, event_name: str) -> str:
    """Return the partition of the index entries of an event's name."""
    return f"E#{scope.tenant_id}#{scope.community_id}#{event_name}"


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
    """Return what the sort keys of a tag's bitmaps begin with."""
    return f"TAG#{sha256(tag.encode('utf-8', 'surrogatepass')).hexdigest()[:TAG_HASH]}#"


def tag_sk(tag: str, segment: int) -> str:
    """Return the sort key of a tag's bitmap of a segment."""
    return f"{tag_prefix(tag)}{segment:08d}"


def segment_in(sk: str) -> int:
    """Read the segment in a bitmap's sort key."""
    return int(sk.rpartition("#")[2])


def make_webhook_id(*, now: float, sequence: int, random: bytes) -> str:
    """Return a webhook id: 4 bytes each of epoch seconds, sequence number and chance, in hex."""
    return f"{int(now) & _WORD:08x}{sequence & _WORD:08x}{random[:4].hex()}"


def sequence_of(webhook_id: str) -> int | None:
    """Return the sequence number in a webhook id, None for what cannot be one."""
    return int(webhook_id[8:16], 16) if _ID.fullmatch(webhook_id) else None
