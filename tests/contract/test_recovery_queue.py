"""The contract of RecoveryQueue and RecoveryDlq."""

from tests.contract.backends import Backend
from tests.fakes.queues import FakeQueue, FakeRecoveryQueue
from webhooks.adapters.sqs.recovery_queue import SqsRecoveryDlq, SqsRecoveryQueue
from webhooks.domain.recovery_message import decode_task, encode_task
from webhooks.domain.replay import RecoveryTask, ReplayPage, WebhookCheck
from webhooks.domain.scope import Scope
from webhooks.ports import RecoveryDlq, RecoveryQueue

SCOPE = Scope("acme", "north")
ID = "00112233445566778899aabb"


class Queues:
    """Both ports, and the messages behind them."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.tasks: RecoveryQueue
        self.dlq: RecoveryDlq
        if backend.aws is None:
            memory = FakeRecoveryQueue()
            self.tasks = self.dlq = memory
            self.queues: dict[str, FakeQueue | str] = {"tasks": memory.queue, "dead": memory.dead}
        else:
            urls = {name: backend.queue(name) for name in ("tasks", "dead")}
            self.queues = dict(urls)
            self.tasks = SqsRecoveryQueue(backend.aws, urls["tasks"])
            self.dlq = SqsRecoveryDlq(backend.aws, urls["dead"])

    def take(self, name: str) -> list[tuple[str, str, str | None]]:
        """Take the receivable messages: text, group, reason."""
        queue = self.queues[name]
        if isinstance(queue, FakeQueue):
            return [(each.text, each.group, each.reason) for each in queue.take(100) if not each.delay]
        taken: list[tuple[str, str, str | None]] = []
        while messages := self.backend.clients.sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["MessageGroupId"],
            WaitTimeSeconds=0,
        ).get("Messages"):
            for message in messages:
                reason = message.get("MessageAttributes", {}).get("reason")
                group = message.get("Attributes", {}).get("MessageGroupId", "")
                taken.append((message["Body"], group, reason["StringValue"] if reason else None))
        return taken


def test_tasks_arrive_as_they_were_sent_in_the_group_of_their_community(backend: Backend) -> None:
    queues = Queues(backend)
    tasks: list[RecoveryTask] = [
        ReplayPage(SCOPE, ID, 0),
        WebhookCheck(SCOPE, ID, 5),
        WebhookCheck(Scope("b", "c"), ID),
    ]
    for task in tasks:
        queues.tasks.send(task, delay=0)
    taken = queues.take("tasks")
    assert sorted(text for text, _, _ in taken) == sorted(map(encode_task, tasks))
    assert all(group == decode_task(text).scope.fairness_group for text, group, _ in taken)


def test_a_delayed_task_cannot_be_received_now(backend: Backend) -> None:
    queues = Queues(backend)
    queues.tasks.send(WebhookCheck(SCOPE, ID, 5), delay=900)
    queues.tasks.send(WebhookCheck(SCOPE, ID, 6), delay=100_000)
    queues.tasks.send(WebhookCheck(SCOPE, ID, 7), delay=-1)
    assert [decode_task(text) for text, _, _ in queues.take("tasks")] == [WebhookCheck(SCOPE, ID, 7)]


def test_a_dead_lettered_text_has_its_reason(backend: Backend) -> None:
    queues = Queues(backend)
    queues.dlq.send_to_dlq("no task ä", "not a task")
    assert [(text, reason) for text, _, reason in queues.take("dead")] == [("no task ä", "not a task")]
