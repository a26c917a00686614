"""The dependency rule: the imports of each part, and the readers of environment, clock and randomness."""

import re
from collections.abc import Callable

import pytest

from tests.source_modules import ROOT, Module, is_within, module, modules_of

LAYERS = [ROOT / "layers" / "signing" / "python", ROOT / "layers" / "webhooks" / "python"]

SDKS = ["boto3", "botocore", "urllib3", "requests", "httpx", "pycurl"]
IO_AND_RANDOMNESS = [
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
CLOCK_OR_RANDOMNESS = re.compile(r"\b(?:datetime|date|dt)\.(?:now|utcnow|today)|\buuid\.uuid[14]")
ENVIRONMENT = ["os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"]
# Code that is never deployed.
UNDEPLOYED = ["acceptance", "benchmarks", "local", "tests", "tools", "webhooks_cli", "webhooks_verify"]

# Each outside system has a package in adapters/. A package imports itself and SHARED, and nothing else of ours.
ADAPTERS = LAYERS[1] / "webhooks" / "adapters"
PACKAGES = sorted(f"webhooks.adapters.{found.parent.name}" for found in ADAPTERS.glob("*/__init__.py"))
CACHES = ["webhooks.adapters.ttl_cache", "webhooks.adapters.loading_cache"]
SHARED = ["webhooks.adapters.aws", *CACHES, "webhooks.domain", "webhooks.ports"]
ONLY_PRIVATE = {"argparse._SubParsersAction"}  # a type that has no other name
# Pipelines and entry points that know nothing of each other.
SEPARATE = [
    ("webhooks.services.dispatch", "webhooks.services.fanout"),
    ("webhooks.entrypoints.api", "webhooks.entrypoints.sqs"),
]

LAYER_MODULES = [found for layer in LAYERS for found in modules_of(layer)]
FUNCTION_MODULES = list(modules_of(ROOT / "functions"))
FAKES = list(modules_of(ROOT / "tests" / "fakes", root=ROOT))
REPOSITORY = [
    found
    for folder in (
        "layers",
        "functions",
        "cli",
        "verify",
        "local",
        "tools",
        "acceptance",
        "tests",
        "benchmarks",
    )
    for found in modules_of(ROOT / folder, root=ROOT)
]


# Each rule returns the imports and names of a module that break it.


def impurities(found: Module) -> set[str]:
    """`signing` and `domain`: no I/O, SDK, framework, environment, clock or randomness."""
    if not found.within("signing", "webhooks.domain"):
        return set()
    read = {name for name in found.dotted if CLOCK_OR_RANDOMNESS.search(name)}
    return read | found.imports_any([*SDKS, *IO_AND_RANDOMNESS, *FRAMEWORKS])


def outward_imports(found: Module) -> set[str]:
    """The layers of the architecture point inwards, and import no code that is not deployed."""
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
                "environment",
                "logging",
                "bootstrap",
            )
        ],
        "webhooks.ports": [
            "webhooks.services",
            "webhooks.entrypoints",
            "webhooks.settings",
            "webhooks.environment",
            "webhooks.bootstrap",
            *SDKS,
        ],
        "webhooks.services": [
            "webhooks.entrypoints",
            "webhooks.settings",
            "webhooks.environment",
            "webhooks.bootstrap",
            *SDKS,
        ],
        "webhooks.adapters": ["webhooks.services", "webhooks.entrypoints", "webhooks.bootstrap"],
        "webhooks.entrypoints": ["webhooks.bootstrap", *SDKS],
    }
    forbidden = ["functions", *UNDEPLOYED]
    for package, targets in inner.items():
        if found.within(package):
            forbidden = [*forbidden, *targets]
    return found.imports_any(forbidden)


def adapter_imports(found: Module) -> set[str]:
    """Only `bootstrap` and adapters import adapters."""
    if found.within("webhooks.bootstrap", "webhooks.adapters"):
        return set()
    return found.imports_any(["webhooks.adapters"])


def package_imports(found: Module) -> set[str]:
    """A package of `adapters` imports itself, `aws`, the shared caches, `domain` and `ports`."""
    package = next((package for package in PACKAGES if found.within(package)), None)
    if package is None:
        return set()
    allowed = [package, *SHARED]
    ours = found.imports_any(["webhooks"])
    return {name for name in ours if not any(is_within(name, each) for each in allowed)}


def separate_imports(found: Module) -> set[str]:
    """The two of a pair in SEPARATE do not import each other."""
    others = [*((one, other) for one, other in SEPARATE), *((other, one) for one, other in SEPARATE)]
    return {name for own, other in others if found.within(own) for name in found.imports_any([other])}


def environment_reads(found: Module) -> set[str]:
    """Only `environment` reads the environment."""
    if found.within("webhooks.environment"):
        return set()
    read = {name for name in found.dotted if any(is_within(name, target) for target in ENVIRONMENT)}
    return read | found.imports_any(ENVIRONMENT)


def status_codes(found: Module) -> set[str]:
    """Only `entrypoints` knows HTTP status codes of our API and the framework that answers with them."""
    if found.within("webhooks.entrypoints"):
        return set()
    # Not all of `http`: an adapter may know the errors of the client in `http.client`.
    known = {name for name in found.dotted if is_within(name, "http.HTTPStatus")}
    return known | found.imports_any(["http.HTTPStatus", "aws_lambda_powertools.event_handler"])


def function_imports(found: Module, folders: set[str]) -> set[str]:
    """Functions never import each other; `webhooks` and `signing` are the layers' packages, not folders."""
    own = found.name.split(".")[0]
    others = folders - {own, "webhooks", "signing"}
    return found.imports_any(["functions", "app", *others])


def private_imports(found: Module) -> set[str]:
    """A name with an underscore is its package's own, in the standard library and in wheels too."""
    own = found.name.split(".")[0]
    private = {name for name in found.imports if re.search(r"(?:^|\.)_(?!_)", name)}
    return {name for name in private if name.split(".")[0] != own} - ONLY_PRIVATE


def named(found: list[Module]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("found", found, ids=lambda each: each.name)


@named(LAYER_MODULES)
def test_signing_and_domain_are_pure(found: Module) -> None:
    assert impurities(found) == set()


@named(LAYER_MODULES)
def test_dependencies_point_inwards(found: Module) -> None:
    assert outward_imports(found) == set()


@named([*LAYER_MODULES, *FUNCTION_MODULES, *FAKES])
def test_only_bootstrap_imports_adapters(found: Module) -> None:
    assert adapter_imports(found) == set()


@named(LAYER_MODULES)
def test_a_room_of_adapters_imports_no_other_room(found: Module) -> None:
    assert package_imports(found) == set()


@named(LAYER_MODULES)
def test_pipelines_and_entry_points_do_not_import_each_other(found: Module) -> None:
    assert separate_imports(found) == set()


@named([*LAYER_MODULES, *FUNCTION_MODULES])
def test_only_one_module_reads_the_environment(found: Module) -> None:
    assert environment_reads(found) == set()


@named(LAYER_MODULES)
def test_only_entrypoints_know_status_codes(found: Module) -> None:
    assert status_codes(found) == set()


def test_private_names_are_not_imported() -> None:
    assert {found.name: broken for found in REPOSITORY if (broken := private_imports(found))} == {}


# A set of its own: without a function yet, there would be nothing to parametrize.
def test_functions_never_import_each_other() -> None:
    folders = {found.name.split(".")[0] for found in FUNCTION_MODULES}
    assert {
        found.name: broken for found in FUNCTION_MODULES if (broken := function_imports(found, folders))
    } == {}


def test_the_sources_are_found() -> None:
    assert {"signing", "signing.keys", "webhooks"} <= {found.name for found in LAYER_MODULES}
    assert {"webhooks.adapters.aws", "webhooks.adapters.http"} < set(PACKAGES)


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
        (outward_imports, "webhooks.services.a", "import webhooks.environment", "webhooks.environment"),
        (outward_imports, "webhooks.services.a", "import botocore.exceptions", "botocore.exceptions"),
        (outward_imports, "webhooks.ports", "import webhooks.bootstrap.guard", "webhooks.bootstrap.guard"),
        (outward_imports, "webhooks.services.a", "from .. import bootstrap", "webhooks.bootstrap"),
        (outward_imports, "webhooks.entrypoints.a", "from .. import bootstrap", "webhooks.bootstrap"),
        (
            outward_imports,
            "webhooks.adapters.health_probes",
            "import webhooks.services.fanout",
            "webhooks.services.fanout",
        ),
        (outward_imports, "webhooks.adapters.ttl_cache", "import webhooks.services", "webhooks.services"),
        (adapter_imports, "webhooks.services.a", "from webhooks import adapters", "webhooks.adapters"),
        (adapter_imports, "webhooks.services.a", "from ..adapters.b import C", "webhooks.adapters.b.C"),
        (outward_imports, "webhooks.adapters.a", "from tests.fakes import keys", "tests.fakes.keys"),
        (outward_imports, "webhooks.entrypoints.a", "import tools.openapi", "tools.openapi"),
        (outward_imports, "signing.a", "from webhooks_cli import b", "webhooks_cli.b"),
        (outward_imports, "webhooks.bootstrap.a", "from benchmarks import b", "benchmarks.b"),
        (adapter_imports, "tests.fakes.a", "from webhooks.adapters.b import C", "webhooks.adapters.b.C"),
        (
            package_imports,
            "webhooks.adapters.sqs.a",
            "from ..dynamodb import b",
            "webhooks.adapters.dynamodb.b",
        ),
        (package_imports, "webhooks.adapters.http.a", "import webhooks.settings", "webhooks.settings"),
        (
            package_imports,
            "webhooks.adapters.aws.a",
            "from ..sqs import sender",
            "webhooks.adapters.sqs.sender",
        ),
        (
            package_imports,
            "webhooks.adapters.http.a",
            "from webhooks.adapters import health_probes",
            "webhooks.adapters.health_probes",
        ),
        (
            separate_imports,
            "webhooks.services.dispatch.a",
            "from webhooks.services.fanout.pipeline import Fanout",
            "webhooks.services.fanout.pipeline.Fanout",
        ),
        (
            separate_imports,
            "webhooks.entrypoints.sqs",
            "from webhooks.entrypoints.api import errors",
            "webhooks.entrypoints.api.errors",
        ),
        (environment_reads, "webhooks.services.a", "import os\nos.environ.get('A')", "os.environ"),
        (environment_reads, "webhooks.settings", "from os import getenv", "os.getenv"),
        (status_codes, "webhooks.services.a", "from http import HTTPStatus", "http.HTTPStatus"),
        (private_imports, "tests.a", "from re import _parser", "re._parser"),
        (private_imports, "webhooks.a", "import botocore._x.y", "botocore._x.y"),
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
        (package_imports, "webhooks.adapters.sqs.a", "from . import b\nfrom ..aws import clients"),
        (package_imports, "webhooks.adapters.http.a", "from webhooks.adapters.ttl_cache import TtlCache"),
        (package_imports, "webhooks.adapters.health_probes", "from webhooks.adapters.sqs import sender"),
        (separate_imports, "webhooks.entrypoints.sqs", "from webhooks.services.fanout import pipeline"),
        (environment_reads, "webhooks.environment", "import os\nos.environ['A']"),
        (status_codes, "webhooks.adapters.a", "from http.client import HTTPException"),
        (status_codes, "webhooks.entrypoints.api.resolver", "from http import HTTPStatus"),
    ],
)
def test_allowed_code_breaks_no_rule(rule: Callable[[Module], set[str]], name: str, source: str) -> None:
    assert rule(module(name, source)) == set()
