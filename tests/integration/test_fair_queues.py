"""Fair queues: in both lanes a message's group is its community, for any webhook."""

from dataclasses import replace

from tests.contract.backends import backend_named
from tests.contract.test_queues import make_pack
from webhooks.adapters.sqs.delivery_queues import SqsDeliveryQueue, SqsFastLane
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.scope import Scope


def test_a_message_has_its_communitys_group_in_both_lanes() -> None:
    packs = [make_pack(1), make_pack(2), replace(make_pack(3), scope=Scope("acme", "south"))]
    with backend_named("moto") as backend:
        fast, slow = backend.queue("fast"), backend.queue("slow")
        assert SqsFastLane(backend.clients, fast).send(packs) == []
        queue = SqsDeliveryQueue(backend.clients, fast_url=slow, slow_url=slow, dead_letter_url=slow)
        assert queue.send_slow([(each, 0) for each in packs]) == []
        for url in (fast, slow):
            messages = backend.clients.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
            )["Messages"]
            groups = {decode_pack(each["Body"]): each["Attributes"]["MessageGroupId"] for each in messages}
            assert groups == {pack: pack.scope.fairness_group for pack in packs}
    assert len(set(groups.values())) == 2


def test_a_group_is_valid_for_sqs_and_unique_to_its_community() -> None:
    scopes = [Scope("a" * 64, "b" * 64), Scope("ab", "c"), Scope("a", "bc")]
    groups = {scope.fairness_group for scope in scopes}
    assert len(groups) == 3
    assert all(len(group) == 32 and group.isalnum() for group in groups)
