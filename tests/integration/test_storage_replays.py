"""Replays in DynamoDB: lost responses, refusals, races, and items that cannot be read."""

from collections.abc import Iterator

import pytest

from tests.aws_stub.faulty_clients import (
    FaultyClients,
    Replacement,
    cancel,
    fail,
    lose_response,
    repeat,
    time_out,
)
from tests.contract.backends import Backend, backend_named
from tests.contract.test_replays import LAST, NOW, PLAN, SCOPE, claim, made
from webhooks.adapters.dynamodb.replay_items import KEPT_DAYS, replay_key
from webhooks.adapters.dynamodb.replays import TRIES, DynamoReplays
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import CorruptError, StaleError, TooManyReplaysError, UnavailableError
from webhooks.domain.replay import Replay, ReplayState


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


class Opened:
    def __init__(self, backend: Backend) -> None:
        self.name = backend.table("deliveries")
        self.backend = backend
        self.replays = DynamoReplays(Table(backend.clients, self.name))

    def faulty(self, **faults: list[Replacement]) -> DynamoReplays:
        clients = FaultyClients(self.backend.clients, **faults)
        return DynamoReplays(Table(clients, self.name, backoff=self.backend.backoff))

    def stored(self) -> Replay:
        found = self.replays.get(SCOPE, made(1).id)
        assert found is not None
        return found


@pytest.fixture
def opened(backend: Backend) -> Opened:
    return Opened(backend)


def test_a_new_replay_whose_response_is_lost_is_found_by_its_repeat(opened: Opened) -> None:
    with pytest.raises(UnavailableError, match="dynamodb TransactWriteItems: ReadTimeoutError"):
        opened.faulty(transact_write_items=[lose_response]).add(made(1), key="k", limit=1)
    assert opened.replays.add(made(2), key="k", limit=1) == made(1)
    assert len(opened.replays.newest(SCOPE, after=None, size=9)) == 1


def test_a_clients_own_retry_finds_the_replay_that_it_made(opened: Opened) -> None:
    assert opened.faulty(transact_write_items=[repeat]).add(made(1), key="k", limit=1) == made(1)
    with pytest.raises(TooManyReplaysError):
        opened.replays.add(made(2), key="k2", limit=1)


def test_a_transaction_that_meets_another_is_tried_again(opened: Opened) -> None:
    conflict = cancel("TransactionConflict")
    assert opened.faulty(transact_write_items=[conflict] * (TRIES - 1)).add(made(1), limit=1) == made(1)
    with pytest.raises(UnavailableError, match="other requests change the same items"):
        opened.faulty(transact_write_items=[conflict] * TRIES).add(made(2), limit=9)


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "AccessDeniedException"])
def test_an_error_of_the_table_is_unavailable_and_quotes_nothing(opened: Opened, code: str) -> None:
    replay = opened.replays.add(made(1))
    faulty = opened.faulty(
        update_item=[fail(code)],
        transact_write_items=[fail(code)] * 2,
        query=[fail(code)],
        get_item=[fail(code)],
    )
    for call in (
        lambda: claim(faulty, replay, "a"),
        lambda: faulty.add(made(2), key="k"),
        lambda: faulty.change(replay, replay.ended(ReplayState.DONE, now=NOW)),
        lambda: faulty.newest(SCOPE, after=None, size=5),
        lambda: faulty.get(SCOPE, replay.id),
    ):
        with pytest.raises(UnavailableError) as raised:
            call()
        assert code in str(raised.value)
        assert "SECRET" not in str(raised.value)


def test_a_claim_whose_response_is_lost_is_made_again_by_the_same_message(opened: Opened) -> None:
    replay = opened.replays.add(made(1))
    with pytest.raises(UnavailableError):
        claim(opened.faulty(update_item=[lose_response]), replay, "a")
    with pytest.raises(StaleError):
        claim(opened.replays, replay, "b")
    claim(opened.replays, replay, "a")


def test_a_move_whose_response_is_lost_is_seen_as_its_holders(opened: Opened) -> None:
    replay = opened.replays.add(made(1))
    claim(opened.replays, replay, "a")
    with pytest.raises(UnavailableError):
        opened.faulty(update_item=[lose_response]).change(replay, replay.moved(PLAN, now=NOW, next_at=NOW))
    assert (opened.stored().page, opened.stored().holder) == (1, "a")
    with pytest.raises(StaleError):
        opened.replays.change(replay, replay.moved(PLAN, now=NOW, next_at=NOW))


def test_a_timed_out_change_changes_nothing(opened: Opened) -> None:
    replay = opened.replays.add(made(1), limit=1)
    with pytest.raises(UnavailableError):
        opened.faulty(transact_write_items=[time_out]).change(
            replay, replay.ended(ReplayState.CANCELLED, now=NOW)
        )
    assert opened.stored() == replay


def test_an_end_gives_its_place_back_once(opened: Opened) -> None:
    first, second = opened.replays.add(made(1), limit=2), opened.replays.add(made(2), limit=2)
    with pytest.raises(StaleError):  # the second of the client's two requests finds the state changed
        opened.faulty(transact_write_items=[repeat]).change(first, first.ended(ReplayState.DONE, now=NOW))
    assert opened.stored().state is ReplayState.DONE
    opened.replays.add(made(3), limit=2)
    with pytest.raises(TooManyReplaysError):
        opened.replays.add(made(4), limit=2)
    opened.replays.change(second, second.ended(ReplayState.DONE, now=NOW))
    opened.replays.add(made(4), limit=2)


def test_a_replay_that_cannot_be_read_is_corrupt(opened: Opened) -> None:
    opened.replays.add(made(1))
    opened.backend.clients.dynamodb.update_item(
        TableName=opened.name,
        Key=replay_key(SCOPE, made(1).id),
        UpdateExpression="SET #state = :x",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":x": {"S": "SECRET"}},
    )
    with pytest.raises(CorruptError) as raised:
        opened.replays.get(SCOPE, made(1).id)
    assert "SECRET" not in str(raised.value)


def test_a_replay_expires_after_its_last_change(opened: Opened) -> None:
    replay = opened.replays.add(made(1), key="k")
    opened.replays.change(replay, replay.moved(PLAN, now=NOW + 86_400_000, next_at=NOW))
    items = opened.backend.clients.dynamodb.scan(TableName=opened.name)["Items"]
    expiring = {item["sk"]["S"]: int(item["expiresAt"]["N"]) for item in items if "expiresAt" in item}
    day = 86_400
    assert expiring == {
        made(1).id: NOW // 1000 + (KEPT_DAYS + 1) * day,
        "k": NOW // 1000 + KEPT_DAYS * day,
    }


def test_a_replay_of_100_deliveries_fits_an_item(opened: Opened) -> None:
    replay = made(1, query=None, deliveries=tuple(f"{LAST[:-3]}{number:03x}" for number in range(100)))
    opened.replays.add(replay)
    assert opened.stored() == replay
