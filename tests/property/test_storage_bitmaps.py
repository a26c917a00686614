"""Pages by bitmap are the pages of the sorted sequence numbers, whatever they are."""

from hypothesis import given
from hypothesis import strategies as st

from webhooks.adapters.dynamodb.sequence_bitmaps import (
    SEGMENT,
    Head,
    bit_of,
    bitmap_from_bytes,
    bitmap_to_bytes,
    counts_from_bytes,
    counts_to_bytes,
    newest,
    page_parts,
    segment_of,
    union,
)

# Few segments with edges, so that pages begin, end and lie in every part of them.
SEQUENCES = st.sets(
    st.one_of(
        st.integers(0, 6 * SEGMENT),
        st.sampled_from([n * SEGMENT + d for n in range(1, 6) for d in (-2, -1, 0, 1)]),
    ),
    max_size=60,
)


def bitmaps_of(sequences: set[int]) -> dict[int, int]:
    return union((segment_of(sequence), bit_of(sequence)) for sequence in sequences)


@given(SEQUENCES, st.integers(1, 100))
def test_pages_cover_everything_exactly_once_newest_first(sequences: set[int], size: int) -> None:
    bitmaps = bitmaps_of(sequences)
    counts = {segment: bits.bit_count() for segment, bits in bitmaps.items()}
    found: list[int] = []
    for index in range(len(sequences) // size + 2):
        parts = page_parts(counts, skip=index * size, take=size)
        found += [sequence for part in parts for sequence in newest(bitmaps[part.segment], part)]
    assert found == sorted(sequences, reverse=True)


@given(SEQUENCES)
def test_the_counts_of_a_head_agree_with_its_bitmaps(sequences: set[int]) -> None:
    head = Head()
    for sequence in sequences:
        head = head.counted(segment_of(sequence), 1)
    assert head.total == len(sequences) == head.version
    assert {segment: count for segment, count in enumerate(head.counts) if count} == {
        segment: bits.bit_count() for segment, bits in bitmaps_of(sequences).items()
    }
    assert counts_from_bytes(counts_to_bytes(head.counts)) == head.counts


@given(SEQUENCES, SEQUENCES)
def test_a_union_has_the_members_of_both(one: set[int], other: set[int]) -> None:
    assert union([*bitmaps_of(one).items(), *bitmaps_of(other).items()]) == bitmaps_of(one | other)


@given(st.integers(0, 2**SEGMENT - 1))
def test_a_bitmap_is_read_as_it_was_written(bits: int) -> None:
    raw = bitmap_to_bytes(bits)
    assert (len(raw), bitmap_from_bytes(raw)) == (512, bits)


def test_a_full_segment_can_be_counted() -> None:
    assert counts_from_bytes(counts_to_bytes([SEGMENT] * 3)) == (SEGMENT,) * 3
