"""Laws of the epoch: whatever happens between the reads of a call, no version is older than its last answer."""

import math
from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.scope import Scope
from webhooks.ports import Versions
from webhooks.services.fanout.community_versions import OFTEN, VALID_SECONDS, CommunityVersions, Version

SCOPES = [Scope("t", name) for name in "abc"]


class Stack:
    """The stored versions, with writers that go on between any two reads of items.

    `answered`: the version of each community that an answer was given for, or that is old enough.
    """

    def __init__(self, random: Random, *, activity: float, crashes: float) -> None:
        self.random, self.activity, self.crashes = random, activity, crashes
        self.now = 0.0
        self.epoch: int | None = 1
        self.versions = dict.fromkeys(SCOPES, 1)
        self.answered = dict.fromkeys(SCOPES, 1)
        self.open: list[tuple[Scope, int, bool]] = []  # committed and perhaps counted, but not answered
        self.lost: list[tuple[float, Scope, int]] = []  # committed, and never to be counted
        self.calls: list[int] = []

    def write(self) -> None:
        burst = self.activity if self.random.random() < 0.3 else 0
        while self.random.random() < burst:
            step = self.random.choice(("commit", "count", "answer", "crash"))
            if step == "commit" or not self.open:
                scope = self.random.choice(SCOPES)
                self.versions[scope] += 1
                self.open.append((scope, self.versions[scope], False))
                continue
            at = self.random.randrange(len(self.open))
            scope, version, is_counted = self.open.pop(at)
            if step == "crash" and self.random.random() < self.crashes:
                self.lost.append((self.now, scope, version))
            elif is_counted:
                self.answered[scope] = max(version, self.answered[scope])
            else:
                self.epoch = self.epoch and self.epoch + 1
                self.open.append((scope, version, True))

    def pass_time(self) -> None:
        self.now += self.random.choice((0, 0, 0, 1, 1, 1, VALID_SECONDS / 2, VALID_SECONDS))
        for at, scope, version in self.lost:
            if self.now >= at + VALID_SECONDS:
                self.answered[scope] = max(version, self.answered[scope])

    def read(self, scopes: Sequence[Scope]) -> Versions:
        self.calls.append(len(scopes))
        wanted: list[Scope | None] = [None, *scopes]
        self.random.shuffle(wanted)
        found: dict[Scope, int] = {}
        epoch = None
        for each in wanted:
            self.write()
            if each is None:
                epoch = self.epoch
            else:
                found[each] = self.versions[each]
        self.write()
        return Versions(found, epoch)


class Index:
    """The index's versions."""

    def __init__(self, stack: Stack) -> None:
        self.versions = stack.read


class Reader:
    """A container's versions."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.known: dict[Scope, Version] = {}
        self.versions = CommunityVersions(Index(stack), known=self.known.get, clock=lambda: stack.now)

    def versions_of(self, scopes: Sequence[Scope]) -> dict[Scope, int]:
        self.known |= self.versions.changed(scopes)
        return {scope: self.known[scope].number for scope in scopes}


@given(
    seed=st.integers(0, 2**32),
    activity=st.sampled_from([0.3, 0.7, 0.9]),
    crashes=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_a_version_is_not_older_than_the_last_answer(seed: int, activity: float, crashes: float) -> None:
    random = Random(seed)
    stack = Stack(random, activity=activity, crashes=crashes)
    readers = [Reader(stack) for _ in range(2)]
    for _ in range(30):
        stack.write()
        stack.pass_time()
        scopes = random.sample(SCOPES, random.randint(1, 3))
        answered = dict(stack.answered)
        found = random.choice(readers[: random.choice((1, 1, 2))]).versions_of(scopes)
        for scope in scopes:
            assert answered[scope] <= found[scope] <= stack.versions[scope]


def test_without_changes_a_batch_reads_the_epoch_alone() -> None:
    stack = Stack(Random(1), activity=0, crashes=0)
    reader = Reader(stack)
    for _ in range(5):
        reader.versions_of(SCOPES)
    assert stack.calls == [3, 3, 0, 0, 0]  # what is read beside the first epoch counts for none


def test_after_a_change_all_versions_are_read_once_in_a_second_call() -> None:
    stack = Stack(Random(1), activity=0, crashes=0)
    reader = Reader(stack)
    for _ in range(2):
        reader.versions_of(SCOPES)
    stack.epoch = 2
    stack.calls.clear()
    for _ in range(2):
        reader.versions_of(SCOPES)
    assert stack.calls == [0, 3, 0]


def test_where_most_batches_come_after_a_change_each_takes_one_call() -> None:
    stack = Stack(Random(1), activity=0, crashes=0)
    reader = Reader(stack)
    for epoch in range(100):
        stack.epoch = epoch
        reader.versions_of(SCOPES)
    assert len(stack.calls) <= 100 + math.ceil(8 * OFTEN) + 2
    assert stack.calls[-10:] == [3] * 10


def test_while_changes_are_rare_again_the_epoch_is_read_alone() -> None:
    stack = Stack(Random(1), activity=0, crashes=0)
    reader = Reader(stack)
    for epoch in range(100):
        stack.epoch = epoch
        reader.versions_of(SCOPES)
    for _ in range(20):
        reader.versions_of(SCOPES)
    assert stack.calls[-1] == 0


def test_without_an_epoch_every_batch_reads_the_versions() -> None:
    stack = Stack(Random(1), activity=0, crashes=0)
    stack.epoch = None
    reader = Reader(stack)
    for _ in range(3):
        reader.versions_of(SCOPES)
    assert stack.calls == [3, 3, 3]


def test_a_version_is_read_again_after_its_time() -> None:
    stack = Stack(Random(1), activity=0, crashes=0)
    reader = Reader(stack)
    for _ in range(2):
        reader.versions_of(SCOPES)
    stack.versions[SCOPES[0]] = 7  # its count never happens
    assert reader.versions_of(SCOPES)[SCOPES[0]] == 1
    stack.now += VALID_SECONDS
    assert reader.versions_of(SCOPES)[SCOPES[0]] == 7
