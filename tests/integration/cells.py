"""Two cells and their directory in an account in process, and the command of their operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from tests.contract.backends import Backend
from tests.integration.backups import Deployment
from tests.unit.cli.command_line import CommandLine, CommandResult
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.log_partitions import webhook_id_in
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.delivery_log import LogEntry
from webhooks.domain.scope import Scope
from webhooks_cli.aws import Account

OUTPUTS = {
    "EventsQueueUrl": "events",
    "DeliveriesQueueUrl": "deliveries",
    "SlowDeliveriesQueueUrl": "slow",
    "RecoveryQueueUrl": "recovery",
}


class CellStack(Deployment):
    """A stack with queues, found by the outputs of its stack."""

    def __init__(self, backend: Backend, name: str, folder: Path) -> None:
        super().__init__(backend, name, folder)
        self.queues = {output: backend.queue(f"{name}-{queue}") for output, queue in OUTPUTS.items()}

    @property
    def description(self) -> dict[str, Any]:
        outputs = {
            "ApiUrl": f"https://{self.name}.example.com/prod",
            "SubscriptionsTable": self.subscriptions_table,
            "AccessTable": self.access_table,
            "DeliveriesTable": self.deliveries_table,
            "CredentialsPrefix": self.prefix,
            "KeyArn": self.key,
            "ServiceKeysSecret": self.secrets["serviceKeysSecret"],
            "SigningKeysSecret": self.secrets["signingKeysSecret"],
            "WebhookMasterSecret": self.secrets["webhookMasterSecret"],
            **self.queues,
        }
        listed = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
        return {**super().description, "Outputs": listed}

    def log(self, *entries: LogEntry) -> None:
        log = DynamoDeliveryLog(self.backend.clients, self.deliveries_table, days=30)
        assert log.record(entries) == []

    def log_reader(self) -> DynamoDeliveryLogReader:
        return DynamoDeliveryLogReader(self.backend.clients, self.deliveries_table)

    def unhealthy(self, scope: Scope) -> set[str]:
        table = Table(self.backend.clients, self.subscriptions_table)
        return set(DynamoHealthStore(table).unhealthy(scope, after=None, size=100))

    def outcomes(self) -> dict[str, str]:
        """Return each delivery's outcome by its id, as the log of this cell has it."""
        return {
            f"{webhook_id_in(item['pk']['S'])}-{item['sk']['S']}": item["outcome"]["S"]
            for item in self.items(self.deliveries_table)
            if item["pk"]["S"].startswith("W#")
        }

    def messages(self, output: str) -> list[str]:
        """Take the messages of a queue."""
        sqs, url = self.backend.clients.sqs, self.queues[output]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [each["Body"] for each in found]


class Cells:
    """The cells `one` and `two` with the same keys, and the tenant acme in `one`."""

    def __init__(self, backend: Backend, folder: Path) -> None:
        self.backend = backend
        self.command = CommandLine(folder)
        self.directory = backend.table("directory")
        self.command.environment = {"WEBHOOKS_DIRECTORY": self.directory}
        self.command.sleep = self._sleep
        self.workers = 1  # calls at the same time
        self.stacks = {name: CellStack(backend, name, folder / name) for name in ("one", "two")}
        self.one, self.two = self.stacks["one"], self.stacks["two"]

    def _sleep(self, seconds: float) -> None:
        self.command.now += 15 * seconds  # the command looks at queues less often then

    def set_up(self) -> None:
        for name in self.stacks:
            self.done("cells", "add", name, "--stack", name, "--region", "us-east-1")
        self.done("cells", "join", "two", "--from", "one")
        self.done("tenant", "assign", "acme", "one")

    def run(self, *argv: object) -> CommandResult:
        with self.described():
            return self.command(*argv, "--json")

    def done(self, *argv: object) -> Any:
        """Run the command, which must succeed; return its document."""
        ended = self.run(*argv)
        assert ended.code == 0, ended.stdout + ended.stderr
        return ended.document

    def refused(self, *argv: object, code: int = 1) -> str:
        """Run the command, which must be refused; return its sentence."""
        ended = self.run(*argv)
        assert ended.code == code, ended.stdout + ended.stderr
        return ended.document["error"]  # type: ignore[no-any-return]

    def move(self, to: str, *more: object) -> Any:
        return self.done("tenant", "move", "acme", "--to", to, *more)

    def cell_of_acme(self) -> str:
        return self.done("tenant", "show", "acme")["cell"]  # type: ignore[no-any-return]

    @contextmanager
    def described(self) -> Iterator[None]:
        """Let the command see both stacks: the account in process has no CloudFormation."""

        def stack(account: Account) -> Any:
            return self.stacks[account._deployment.stack or ""].description  # noqa: SLF001

        with (
            mock.patch.object(Account, "stack", property(stack)),
            mock.patch("webhooks_cli.cells.work.WORKERS", self.workers),
        ):
            yield
