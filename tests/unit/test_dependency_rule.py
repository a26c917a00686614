"""The dependency rule: imports between layers, and reads of environment, clock and random source.

Read from the sources by their syntax, so that it holds for imports inside functions and for type checking too.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = [ROOT / "layers" / "signing" / "python", ROOT / "layers" / "webhooks" / "python"]
FUNCTIONS = ROOT / "functions"

SDKS = ["boto3", "botocore", "urllib3", "requests", "httpx"]
IO_AND_CHANCE = [
    "os",
    "time",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "importlib",
    "uuid.uuid1",
    "uuid.uuid4",
]
FRAMEWORKS = ["aws_lambda_powertools", "pydantic"]
CLOCK_OR_CHANCE = re.compile(r"\b(?:datetime|date|dt)\.(?:now|utcnow|today)|\buuid\.uuid[14]")
ENVIRONMENT = ["os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"]


@dataclass(frozen=True)
class Module:
    """A source file, its dotted name, and the package that its relative imports start from."""

    name: str
    package: str
    tree: ast.Module

    @property
    def imports(self) -> set[str]:
        return set(self._imports())

    def _imports(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                parts = self.package.split(".")
                up = parts[: len(parts) - node.level + 1] if node.level else []
                base = ".".join([*up, *([node.module] if node.module else [])])
                yield from (f"{base}.{alias.name}" for alias in node.names)

    @property
    def dotted(self) -> set[str]:
        """Every dotted expression, such as `os.environ` or `datetime.now`."""
        return {ast.unparse(node) for node in ast.walk(self.tree) if isinstance(node, ast.Attribute)}

    def within(self, *packages: str) -> bool:
        return any(_reaches(self.name, package) for package in packages)

    def imports_any(self, targets: list[str]) -> set[str]:
        return {name for name in self.imports if any(_reaches(name, target) for target in targets)}


def _reaches(name: str, target: str) -> bool:
    return name == target or name.startswith(f"{target}.")


def module(name: str, source: str, *, package: str | None = None) -> Module:
    return Module(name, package if package is not None else name.rpartition(".")[0], ast.parse(source))


def modules_of(root: Path) -> Iterator[Module]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if "__pycache__" in parts:
            continue
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        yield module(name, path.read_text(), package=name if is_package else None)


LAYER_MODULES = [found for layer in LAYERS for found in modules_of(layer)]
FUNCTION_MODULES = list(modules_of(FUNCTIONS))


# Each rule returns the violations of a module.


def impurities(found: Module) -> set[str]:
    """`signing` and `domain`: no I/O, SDK, framework, environment, clock or random source."""
    if not found.within("signing", "webhooks.domain"):
        return set()
    read = {name for name in found.dotted if CLOCK_OR_CHANCE.search(name)}
    return read | found.imports_any([*SDKS, *IO_AND_CHANCE, *FRAMEWORKS])


def outward_imports(found: Module) -> set[str]:
    """The layers of the architecture point inwards: the forbidden imports of each part."""
    inner = {
        "signing": ["webhooks"],
        "webhooks.domain": [
            f"webhooks.{name}"
            for name in (
                "services",
                "ports",
                "adapters",
                "entrypoints",
                "settings",
                "logging",
                "bootstrap",
            )
        ],
        "webhooks.ports": ["webhooks.services", "webhooks.entrypoints", "webhooks.settings", *SDKS],
        "webhooks.services": ["webhooks.entrypoints", "webhooks.settings", *SDKS],
        "webhooks.adapters": ["webhooks.entrypoints", "webhooks.bootstrap"],
        "webhooks.entrypoints": SDKS,
    }
    forbidden = ["functions", "local", "tests", "webhooks_cli"]
    for package, targets in inner.items():
        if found.within(package):
            forbidden = [*forbidden, *targets]
    return found.imports_any(forbidden)


def adapter_imports(found: Module) -> set[str]:
    """Only `bootstrap` imports adapters; adapters may import one another."""
    if found.within("webhooks.bootstrap", "webhooks.adapters"):
        return set()
    return found.imports_any(["webhooks.adapters"])


def environment_reads(found: Module) -> set[str]:
    """Only `settings` reads the environment."""
    if found.within("webhooks.settings"):
        return set()
    read = {name for name in found.dotted if any(_reaches(name, target) for target in ENVIRONMENT)}
    return read | found.imports_any(ENVIRONMENT)


def status_codes(found: Module) -> set[str]:
    """Only `entrypoints` knows HTTP status codes of our API and the framework that answers with them."""
    if found.within("webhooks.entrypoints"):
        return set()
    # Not all of `http`: an adapter may know the errors of the client in `http.client`.
    known = {name for name in found.dotted if _reaches(name, "http.HTTPStatus")}
    return known | found.imports_any(["http.HTTPStatus", "aws_lambda_powertools.event_handler"])


def function_imports(found: Module, folders: set[str]) -> set[str]:
    """Functions never import each other; `webhooks` and `signing` are the layers' packages, not folders."""
    own = found.name.split(".")[0]
    others = folders - {own, "webhooks", "signing"}
    return found.imports_any(["functions", "app", *others])


def named(found: list[Module]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("found", found, ids=lambda each: each.name)


@named(LAYER_MODULES)
def test_signing_and_domain_are_pure(found: Module) -> None:
    assert impurities(found) == set()


@named(LAYER_MODULES)
def test_dependencies_point_inwards(found: Module) -> None:
    assert outward_imports(found) == set()


@named([*LAYER_MODULES, *FUNCTION_MODULES])
def test_only_bootstrap_imports_adapters(found: Module) -> None:
    assert adapter_imports(found) == set()


@named([*LAYER_MODULES, *FUNCTION_MODULES])
def test_only_settings_reads_the_environment(found: Module) -> None:
    assert environment_reads(found) == set()


@named(LAYER_MODULES)
def test_only_entrypoints_know_status_codes(found: Module) -> None:
    assert status_codes(found) == set()


# A set of its own: without a function yet, there would be nothing to parametrize.
def test_functions_never_import_each_other() -> None:
    folders = {found.name.split(".")[0] for found in FUNCTION_MODULES}
    assert {
        found.name: broken for found in FUNCTION_MODULES if (broken := function_imports(found, folders))
    } == {}


def test_the_sources_are_found() -> None:
    assert {"signing", "signing.keys", "webhooks"} <= {found.name for found in LAYER_MODULES}


@pytest.mark.parametrize(
    ("rule", "name", "source", "broken"),
    [
        (impurities, "signing.a", "import boto3.session", "boto3.session"),
        (impurities, "signing.a", "def f():\n    from os import urandom", "os.urandom"),
        (impurities, "webhooks.domain.a", "if TYPE_CHECKING:\n    import urllib3 as u", "urllib3"),
        (impurities, "webhooks.domain.a", "from time import time", "time.time"),
        (
            impurities,
            "webhooks.domain.a",
            "import datetime\ndatetime.datetime.now(x)",
            "datetime.datetime.now",
        ),
        (impurities, "webhooks.domain.a", "from uuid import uuid4", "uuid.uuid4"),
        (impurities, "webhooks.domain.a", "import uuid\nuuid.uuid4()", "uuid.uuid4"),
        (impurities, "webhooks.domain.a", "from pydantic import BaseModel", "pydantic.BaseModel"),
        (outward_imports, "signing.a", "import webhooks.domain", "webhooks.domain"),
        (outward_imports, "webhooks.domain.a", "from ..services import b", "webhooks.services.b"),
        (outward_imports, "webhooks.domain.a", "from .. import ports", "webhooks.ports"),
        (outward_imports, "webhooks.services.a", "from webhooks import settings", "webhooks.settings"),
        (outward_imports, "webhooks.services.a", "import botocore.exceptions", "botocore.exceptions"),
        (adapter_imports, "webhooks.services.a", "from webhooks import adapters", "webhooks.adapters"),
        (adapter_imports, "webhooks.services.a", "from ..adapters.b import C", "webhooks.adapters.b.C"),
        (environment_reads, "webhooks.services.a", "import os\nos.environ.get('A')", "os.environ"),
        (environment_reads, "webhooks.services.a", "from os import getenv", "os.getenv"),
        (status_codes, "webhooks.services.a", "from http import HTTPStatus", "http.HTTPStatus"),
        (status_codes, "webhooks.services.a", "import http\nhttp.HTTPStatus.OK", "http.HTTPStatus"),
    ],
)
def test_a_broken_rule_is_noticed(
    rule: Callable[[Module], set[str]], name: str, source: str, broken: str
) -> None:
    assert broken in rule(module(name, source))


def test_a_function_that_imports_another_is_noticed() -> None:
    folders = {"webhooks", "fanout", "dispatcher"}
    for source in ("import dispatcher.app", "from functions.dispatcher import app", "import app"):
        assert function_imports(module("fanout.app", source), folders)
    assert not function_imports(module("fanout.app", "from webhooks.bootstrap import fanout"), folders)


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (
            impurities,
            "webhooks.domain.a",
            "from datetime import datetime\nfrom uuid import UUID\nclock.now()",
        ),
        (impurities, "webhooks.services.a", "import time"),
        (adapter_imports, "webhooks.bootstrap", "from webhooks.adapters import b"),
        (adapter_imports, "webhooks.adapters.a", "from . import b"),
        (environment_reads, "webhooks.settings", "import os\nos.environ['A']"),
        (status_codes, "webhooks.adapters.a", "from http.client import HTTPException"),
        (status_codes, "webhooks.entrypoints.api.resolver", "from http import HTTPStatus"),
    ],
)
def test_allowed_code_breaks_no_rule(rule: Callable[[Module], set[str]], name: str, source: str) -> None:
    assert rule(module(name, source)) == set()
