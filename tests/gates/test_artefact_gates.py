"""The gates of built artefacts: sizes, machine code, imports and calls under Lambda's runtime."""

import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tools.artefacts import runtime
from tools.artefacts.archive import pack
from tools.artefacts.build import LAYERS, Build, own_architecture
from tools.gates import invocations, machine_code, sizes
from tools.gates.gate import GateError, program
from tools.gates.invocations import BATCH, Sample

GOOD = "import helper\n\ndef lambda_handler(event, context):\n    return helper.response(event)\n"
HELPER = "def response(event):\n    return {'statusCode': 200, 'body': event['path']}\n"
CONSOLE = Sample("api/console.json", "200")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Lambda's emulator is a program for Linux")


def made(folder: Path, source: str = GOOD) -> Build:
    """A build of one function and its layers, as small as can be."""
    build = Build(folder / "build", own_architecture())
    (build.folder / "AFunction").mkdir(parents=True)
    (build.folder / "AFunction" / "app.py").write_text(source)
    for layer in LAYERS:
        (build.folder / layer / "python").mkdir(parents=True)
    (build.folder / "SigningLayer" / "python" / "helper.py").write_text(HELPER)
    return build


def zipped(build: Build, folder: Path) -> dict[str, Path]:
    targets = {name: folder / f"{name}.zip" for name in {**build.functions(), **build.layers()}}
    for target in targets.values():
        target.write_bytes(b"PK")
    return targets


def budget(folder: Path, **kib: int) -> Path:
    path = folder / "sizes.toml"
    path.write_text(f"[{own_architecture()}]\n" + "".join(f"{name} = {size}\n" for name, size in kib.items()))
    return path


def grow(path: Path, size: int) -> None:
    with path.open("wb") as opened:
        opened.truncate(size)


def test_a_layer_may_grow_by_a_fifth_of_its_budget(tmp_path: Path) -> None:
    build = made(tmp_path)
    large = build.folder / "WebhooksLayer" / "python" / "large.py"
    allowed = budget(tmp_path, WebhooksLayer=1000)
    grow(large, 1200 * 1024)
    assert "of 250 MiB unzipped" in sizes.check(build, zipped(build, tmp_path), allowed)
    grow(large, 1201 * 1024)
    with pytest.raises(
        GateError, match="WebhooksLayer has 1201 KiB, over a fifth more than its budget of 1000"
    ):
        sizes.check(build, zipped(build, tmp_path), allowed)


def test_a_layer_without_a_budget_is_small(tmp_path: Path) -> None:
    build = made(tmp_path)
    grow(build.folder / "SigningLayer" / "python" / "large.py", 100 * 1024)
    with pytest.raises(GateError, match=r"SigningLayer has 101 KiB, .* budget of 64"):
        sizes.check(build, zipped(build, tmp_path), budget(tmp_path))


def test_the_limits_of_lambda_hold_whatever_the_budget(tmp_path: Path) -> None:
    build = made(tmp_path)
    grow(build.folder / "DependenciesLayer" / "python" / "large.so", 251 * sizes.MIB)
    targets = zipped(build, tmp_path)
    grow(targets["AFunction"], 51 * sizes.MIB)
    with pytest.raises(GateError) as raised:
        sizes.check(build, targets, budget(tmp_path, DependenciesLayer=300 * 1024))
    assert "AFunction's zip file is over Lambda's limit of 50 MiB" in str(raised.value)
    assert "has 251 MiB; Lambda takes 250" in str(raised.value)


def elf(architecture: str, *names: bytes) -> bytes:
    machine = machine_code.MACHINES[architecture].to_bytes(2, "little")
    return machine_code.MAGIC + bytes(12) + machine + b"\0" + b"\0".join(names) + b"\0"


def test_a_shared_object_is_for_the_architecture_and_the_glibc_of_lambda(tmp_path: Path) -> None:
    build = made(tmp_path)
    other = {"arm64": "x86_64", "x86_64": "arm64"}[build.architecture]
    packages = build.folder / "DependenciesLayer" / "python"
    (packages / "good.so").write_bytes(elf(build.architecture, b"GLIBC_2.17", b"GLIBC_2.34", b"GLIBC_2.2.5"))
    assert "1 shared objects need glibc 2.34 at most" in machine_code.check(build)
    (packages / "other").write_bytes(elf(other, b"GLIBC_2.17"))
    (packages / "new.so.1").write_bytes(elf(build.architecture, b"GLIBC_2.17", b"GLIBC_2.38"))
    with pytest.raises(GateError) as raised:
        machine_code.check(build)
    assert str(raised.value).splitlines() == [
        "DependenciesLayer/python/new.so.1 needs glibc 2.38; Lambda has 2.34",
        f"DependenciesLayer/python/other is not for {build.architecture}",
    ]


@on_linux
def test_a_function_gets_its_layers(tmp_path: Path) -> None:
    build = made(tmp_path)
    paths = runtime.lay_out(build, tmp_path)
    called = invocations.invoke(build.functions()["AFunction"], paths, {}, CONSOLE)
    assert called.response == {"statusCode": 200, "body": "/console"}
    assert called.init_ms > 0


@on_linux
@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (
            "import webhooks_cli\n" + GOOD,
            "No module named 'webhooks_cli'",
        ),  # this project's environment has it
        ("import pip_audit\n" + GOOD, "No module named 'pip_audit'"),  # that of the runtime has it
        (GOOD.replace("lambda_handler", "handler"), "lambda_handler"),
        ("raise ValueError('no table')\n" + GOOD, "no table"),
        (GOOD.replace("helper.response(event)", "{}"), "responded with {}, not 200"),
        ("def lambda_handler(event, context):\n    raise OSError('at a call')\n", "at a call"),
    ],
)
def test_a_function_that_fails_is_reported(tmp_path: Path, source: str, fault: str) -> None:
    build = made(tmp_path, source)
    paths = runtime.lay_out(build, tmp_path)
    with pytest.raises(GateError) as raised:
        invocations.invoke(build.functions()["AFunction"], paths, {}, CONSOLE)
    assert fault in str(raised.value)


@on_linux
def test_a_function_without_a_sample_is_reported(tmp_path: Path) -> None:
    function: dict[str, Any] = {"Properties": {"Environment": {"Variables": {}}}}
    template = {"Parameters": {}, "Resources": {"AFunction": function}}
    with pytest.raises(GateError, match=r"AFunction: has no sample in invocations\.py"):
        invocations.check(made(tmp_path), template)


def test_variables_are_those_of_the_template_alone() -> None:
    template = {
        "Parameters": {"LogLevel": {"Default": "INFO"}},
        "Resources": {
            "AFunction": {
                "Properties": {
                    "Environment": {
                        "Variables": {
                            "LEVEL": {"Ref": "LogLevel"},
                            "QUEUE": {"Ref": "EventsQueue"},
                            "KEY": {"Fn::GetAtt": ["Key", "Arn"]},
                            "PREFIX": {"Fn::Sub": "${AWS::StackName}/credentials/${LogLevel}"},
                            "NAME": "a",
                        }
                    }
                }
            }
        },
    }
    assert invocations.variables(template, "AFunction") == {
        "LEVEL": "INFO",
        "QUEUE": "https://sqs.us-east-1.amazonaws.com/000000000000/EventsQueue",
        "KEY": "Key",
        "PREFIX": "AWS::StackName/credentials/INFO",
        "NAME": "a",
    }


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        ({"statusCode": 401, "body": "{}", "headers": {}}, "401"),
        ({"batchItemFailures": []}, BATCH),
        ({"errorType": "UnavailableError", "errorMessage": ""}, "UnavailableError"),
        (None, "another"),
    ],
)
def test_a_response_has_a_kind(response: object, kind: str) -> None:
    assert invocations.result(response) == kind


def test_a_zip_file_depends_on_its_files_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("x.py", "y.sh") if name == "a" else ("y.sh", "x.py"):
            (folder / file).write_text(file * 100)
        (folder / "y.sh").chmod(0o700)
        pack(folder, tmp_path / f"{name}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        modes = {each.filename: each.external_attr >> 16 & 0o777 for each in archive.infolist()}
    assert modes == {"x.py": 0o644, "y.sh": 0o755}


def test_a_missing_program_names_the_remedy() -> None:
    with pytest.raises(GateError, match=r"\.venv-gates/bin/absent is missing: `make gates` installs it"):
        program(".venv-gates", "absent")
