"""Messages of the recovery queue: tasks, and texts that are none."""

import pytest

from tests.fakes.queues import FakeRecoveryQueue
from tests.recovery_functions import SCOPE, refused
from webhooks.domain.errors import UnavailableError
from webhooks.domain.poison import POISON_RECEIVES
from webhooks.domain.recovery_message import encode_task
from webhooks.domain.replay import ReplayPage, WebhookCheck
from webhooks.entrypoints.sqs import task_messages
from webhooks.services.recovery.tasks import RecoveryTasks, TaskMessage

ID = "00112233445566778899aabb"
PAGE, CHECK = ReplayPage(SCOPE, ID, 3), WebhookCheck(SCOPE, ID, 5)


class Work:
    """Notes its tasks; raises `error` for each, where it has one."""

    def __init__(self, error: Exception | None = None, *, done: bool = True) -> None:
        self.pages: list[tuple[ReplayPage, str]] = []
        self.checks: list[WebhookCheck] = []
        self._error = error
        self._done = done

    def page(self, task: ReplayPage, holder: str) -> bool:
        self.pages.append((task, holder))
        if self._error:
            raise self._error
        return self._done

    def check(self, task: WebhookCheck) -> None:
        self.checks.append(task)
        if self._error:
            raise self._error


def work(message: TaskMessage, by: Work, dlq: FakeRecoveryQueue | None = None) -> set[str]:
    tasks = RecoveryTasks(page=by.page, check=by.check, dlq=dlq or FakeRecoveryQueue())
    return tasks.work([message])


def test_each_kind_of_task_goes_to_its_work() -> None:
    by = Work()
    assert work(TaskMessage("m1", encode_task(PAGE)), by) == set()
    assert work(TaskMessage("m2", encode_task(CHECK)), by) == set()
    assert (by.pages, by.checks) == ([(PAGE, "m1")], [CHECK])


def test_a_page_that_another_message_has_comes_again() -> None:
    assert work(TaskMessage("m1", encode_task(PAGE)), Work(done=False)) == {"m1"}


def test_a_text_that_is_no_task_is_dead_lettered_at_once() -> None:
    queue, by = FakeRecoveryQueue(), Work()
    assert work(TaskMessage("m1", "{}"), by, queue) == set()
    [dead] = queue.dead.messages()
    assert dead.text == "{}"
    assert dead.reason is not None
    assert dead.reason.startswith("not a task")
    assert by.pages == []
    assert by.checks == []


def test_a_text_that_cannot_be_dead_lettered_comes_again() -> None:
    def fault(_: str) -> None:
        raise refused()

    assert work(TaskMessage("m1", "{}"), Work(), FakeRecoveryQueue(fault=fault)) == {"m1"}


@pytest.mark.parametrize("task", [PAGE, CHECK])
def test_an_outage_makes_no_task_poison(task: ReplayPage | WebhookCheck) -> None:
    queue = FakeRecoveryQueue()
    message = TaskMessage("m1", encode_task(task), receives=POISON_RECEIVES + 50)
    assert work(message, Work(UnavailableError("dynamodb GetItem: Throttled")), queue) == {"m1"}
    assert queue.dead.messages() == []


@pytest.mark.parametrize("task", [PAGE, CHECK])
def test_a_task_on_which_our_code_fails_is_dead_lettered_in_the_end(task: ReplayPage | WebhookCheck) -> None:
    queue, text = FakeRecoveryQueue(), encode_task(task)
    assert work(TaskMessage("m1", text, POISON_RECEIVES - 1), Work(KeyError("planted")), queue) == {"m1"}
    assert work(TaskMessage("m1", text, POISON_RECEIVES), Work(KeyError("planted")), queue) == set()
    assert [(dead.text, dead.reason) for dead in queue.dead.messages()] == [
        (text, f"not processed: KeyError after {POISON_RECEIVES} receives")
    ]


def test_a_record_of_lambda_is_a_message() -> None:
    record = {"messageId": "m1", "body": "x", "attributes": {"ApproximateReceiveCount": "7"}}
    assert task_messages({"Records": [record]}) == [TaskMessage("m1", "x", 7)]
