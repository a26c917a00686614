"""A local stack: an emulator, the built template deployed into it, and the stack's outputs."""

import os
import platform
import re
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import boto3
import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from local import emulator, sources
from local.errors import LocalError, failed
from local.paths import ROOT, tool

STACK_NAME = "webhooks-local"
BUCKET = "webhooks-local-artifacts"  # the s3_bucket of samconfig.toml
DIGEST_TAG = "sources"
API_URL = re.compile(r"https://(?P<api>\w+)\.execute-api\.[^/]+/(?P<stage>\w+)")
SAM_SECONDS = 600
CHECK_SECONDS = 0.5  # between two checks of the emulator while sam runs
ANEW = "`make reset` and `make run` begin anew"


class Steps(Protocol):
    """Shows steps; `local.progress.Progress` implements it."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """Show a step while it lasts."""
        ...


class Silent:
    """Shows no steps."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """Do without output."""
        del text
        return nullcontext()


class Stack:
    """One local stack with all its files in `folder`.

    `environment` is added to the functions' own (a CA file, say). `parameters` override samconfig.toml's.
    `root`: the folder of the sources; another one than the repository is built beside it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        steps: Steps | None = None,
        environment: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        root: Path = ROOT,
    ) -> None:
        self.folder = folder
        self.port = port
        self._steps = steps or Silent()
        self._parameters = dict(parameters or {})
        self._root = root
        self._build = folder / ("build" if root == ROOT else f"build-{root.name}")
        self.emulator = emulator.Emulator(folder, environment or {})

    @property
    def endpoint(self) -> str:
        """Return the URL for AWS clients."""
        return emulator.endpoint(self.port)

    def up(self) -> None:
        """Start the emulator; build and deploy where the sources have changed. Raises LocalError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        running = self.emulator.running()
        if running is None:
            with self._steps.step(f"start the AWS emulator on {emulator.HOST}:{self.port}"):
                running = self.emulator.start(self.port)
        self.port = running.port
        overrides = self._overrides()
        wanted = sources.digest(overrides, root=self._root)
        if self._deployed() != wanted:
            self.build(wanted, overrides)
            self.deploy(wanted, overrides)
        self.__dict__.pop("outputs", None)

    def prepare(self) -> None:
        """Build what `up` deploys, and deploy nothing. Raises LocalError."""
        overrides = self._overrides()
        self.build(sources.digest(overrides, root=self._root), overrides)

    def down(self) -> bool:
        """Stop the emulator, which writes its state; False where it did not run."""
        return self.emulator.stop()

    def forget(self) -> None:
        """Stop the emulator and remove all of its files."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def build(self, wanted: str, overrides: list[str]) -> None:
        """Run `sam build`, unless the last build had the same sources. Raises LocalError."""
        mark = self._build.with_name(self._build.name.replace("build", "built", 1))
        if mark.is_file() and mark.read_text("utf-8") == wanted:
            return
        mark.unlink(missing_ok=True)
        with self._steps.step("sam build"):
            self._sam(
                "build",
                *("--template-file", self._root / "template.yaml", "--build-dir", self._build),
                *("--parameter-overrides", *overrides),
            )
        mark.write_text(wanted, "utf-8")

    def deploy(self, wanted: str, overrides: list[str]) -> None:
        """Run `sam deploy` into the emulator. Raises LocalError."""
        with self._steps.step("sam deploy"), self._emulator_errors():
            self.client("s3").create_bucket(Bucket=BUCKET)
            self._sam(
                "deploy",
                *("--template-file", self._build / "template.yaml"),
                *("--stack-name", STACK_NAME),
                *("--tags", f"{DIGEST_TAG}={wanted}"),
                *("--parameter-overrides", *overrides),
            )
            emulator.correct_concurrency(self.client("lambda"))

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name. Raises LocalError where it is not deployed."""
        stack = self._describe()
        if stack is None:
            raise LocalError(f"the stack {STACK_NAME} is not deployed at {self.endpoint}")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    @property
    def api_url(self) -> str:
        """Return the API's URL in the emulator."""
        found = API_URL.fullmatch(self.outputs["ApiUrl"])
        if not found:
            raise LocalError(
                f"the output ApiUrl has another form than {API_URL.pattern}: {self.outputs['ApiUrl']}"
            )
        return f"{self.endpoint}/_aws/execute-api/{found['api']}/{found['stage']}"

    def client(self, service: str) -> Any:
        """Return a boto3 client for the emulator."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=emulator.REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the emulator accepts any
            config=botocore.config.Config(
                retries={"total_max_attempts": 2}, proxies={}, s3={"addressing_style": "path"}
            ),
        )

    def _describe(self) -> dict[str, Any] | None:
        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
        except ClientError:
            return None
        except BotoCoreError as error:
            raise failed(f"the AWS emulator does not respond: {error}", self.emulator.log) from None
        return dict(stacks[0])

    @contextmanager
    def _emulator_errors(self) -> Iterator[None]:
        """Raise LocalError for an AWS call of ours that fails."""
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise failed(f"a call of the AWS emulator failed: {error}", self.emulator.log) from None

    def _deployed(self) -> str | None:
        stack = self._describe()
        if (
            stack is None
            or not stack["StackStatus"].endswith("_COMPLETE")
            or "ROLLBACK" in stack["StackStatus"]
        ):
            return None
        return next((tag["Value"] for tag in stack.get("Tags", []) if tag["Key"] == DIGEST_TAG), None)

    def _overrides(self) -> list[str]:
        """Return the parameters: those of samconfig.toml, this machine's processor, and this stack's own."""
        processor = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
        parameters = {**_configured(), "Architecture": processor, **self._parameters}
        return [f"{name}={value}" for name, value in parameters.items()]

    def _sam(self, command: str, *arguments: str | Path) -> None:
        log = self.folder / f"sam-{command}.log"
        settings = ("--config-file", ROOT / "samconfig.toml", "--config-env", "local")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [tool(".venv-sam", "sam"), command, *settings, *arguments],
                cwd=self.folder,
                env=self._sam_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                self._await(process, f"sam {command}", log)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()

    def _await(self, process: subprocess.Popen[bytes], command: str, log: Path) -> None:
        """Wait for a successful end while the emulator runs: without it, sam retries for minutes."""
        deadline = time.monotonic() + SAM_SECONDS
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(CHECK_SECONDS)
            if self.emulator.running() is None:
                raise failed(f"the AWS emulator ended during `{command}`", self.emulator.log)
            if time.monotonic() > deadline:
                raise failed(f"`{command}` did not end within {SAM_SECONDS} s", log, self.emulator.log)
        if process.returncode:
            raise failed(f"`{command}` failed ({ANEW} if it fails again)", log, self.emulator.log)

    def _sam_environment(self) -> dict[str, str]:
        # Other variables stay: the build downloads wheels, perhaps through the user's proxy or mirror.
        others = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
        environment = others | emulator.client_environment(self.port)
        # Functions run as ordinary processes, so on a Mac they need its wheels, not Linux's.
        if platform.system() == "Darwin":
            environment["PLATFORM"] = f"{platform.machine().replace('arm64', 'aarch64')}-apple-darwin"
        return environment


def _configured() -> dict[str, str]:
    """Return the parameters of the entry `local` in samconfig.toml."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
    overrides = config["local"]["global"]["parameters"]["parameter_overrides"]
    return dict(each.split("=", 1) for each in overrides)
