"""Sequence numbers of webhooks as bitmaps of fixed segments, and a community's totals. Knows no table.

A bitmap is an int whose bit n stands for the segment's n-th sequence number.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from webhooks.domain.values import value_type

SEGMENT = 4096  # sequence numbers in a segment: 512 bytes, far below one read unit
_BYTES = SEGMENT // 8


def segment_of(sequence: int) -> int:
    """Return the number of the segment that the sequence number lies in."""
    return sequence // SEGMENT


def bit_of(sequence: int) -> int:
    """Return the bitmap that has only this sequence number's bit."""
    return 1 << sequence % SEGMENT


def with_bit(bits: int, sequence: int, *, is_set: bool) -> bytes | None:
    """Return a bitmap for a table, with a sequence number's bit set or cleared; None where it is empty."""
    bit = bit_of(sequence)
    bits = bits | bit if is_set else bits & ~bit
    return bitmap_to_bytes(bits) if bits else None


def bitmap_to_bytes(bits: int) -> bytes:
    """Write a bitmap for a table."""
    return bits.to_bytes(_BYTES)


def bitmap_from_bytes(raw: bytes) -> int:
    """Read a bitmap from a table."""
    return int.from_bytes(raw)


@value_type(frozen=True, slots=True)
class Head:
    """A community's totals: `counts` has the number of webhooks in each segment.

    `is_moving`: its tenant moves to another cell, and its webhooks are not changed here.
    """

    version: int = 0
    total: int = 0
    counts: tuple[int, ...] = ()
    is_moving: bool = False

    def counted(self, segment: int, difference: int) -> "Head":
        """Return the next version, with so many webhooks more in the segment."""
        counts = [*self.counts, *[0] * (segment + 1 - len(self.counts))]
        # Below zero only for a webhook that is gone already: the transaction's condition says so.
        counts[segment] = max(0, counts[segment] + difference)
        return Head(self.version + 1, self.total + difference, tuple(counts))


def counts_to_bytes(counts: Sequence[int]) -> bytes:
    """Write the counts: 16 bits each, big-endian."""
    return struct.pack(f">{len(counts)}H", *counts)


def counts_from_bytes(raw: bytes) -> tuple[int, ...]:
    """Read the counts."""
    return struct.unpack(f">{len(raw) // 2}H", raw)


@value_type(frozen=True, slots=True)
class PagePart:
    """The part of a segment that a page has: `take` webhooks after the newest `skip`."""

    segment: int
    skip: int
    take: int


def page_parts(counts: Mapping[int, int], *, skip: int, take: int) -> Iterator[PagePart]:
    """Find the segments that a page lies in, newest first, by the number of webhooks in each."""
    for segment in sorted(counts, reverse=True):
        if take <= 0:
            return
        count = counts[segment]
        if skip >= count:
            skip -= count
            continue
        part = min(take, count - skip)
        yield PagePart(segment, skip, part)
        skip, take = 0, take - part


def newest(bits: int, part: PagePart) -> list[int]:
    """Return the slice's sequence numbers, newest first; fewer where the bitmap has no more."""
    bits = _without_newest(bits, part.skip)
    found: list[int] = []
    while bits and len(found) < part.take:
        top = bits.bit_length() - 1
        found.append(part.segment * SEGMENT + top)
        bits ^= 1 << top
    return found


def _without_newest(bits: int, count: int) -> int:
    """Return a bitmap without its highest so many bits, found by halving: a page may be thousands deep."""
    low, high = 0, bits.bit_length()
    while low < high:
        middle = (low + high) // 2
        if (bits >> middle).bit_count() > count:
            low = middle + 1
        else:
            high = middle
    return bits & ((1 << low) - 1)


def union(bitmaps: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Merge (segment, bitmap) pairs: the bits of each segment that any of them has."""
    merged: dict[int, int] = {}
    for segment, bits in bitmaps:
        merged[segment] = merged.get(segment, 0) | bits
    return merged
