"""The gate of known vulnerabilities, against a service on loopback that knows one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.emulator import free_port
from tools.gates import dependencies
from tools.gates.gate import GateError

LOCK = "jinja2=={version} \\\n    --hash=sha256:" + "0" * 64 + "\n"
VULNERABLE = "2.4.1"
KNOWN = {
    "id": "PYSEC-2014-8",
    "summary": "a sandbox that does not hold",
    "modified": "2021-07-05T00:01:22Z",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.7.2"}]}],
        }
    ],
}
ADVISORY = {
    "id": 1,
    "url": "https://example.com/advisory",
    "title": "runs code",
    "severity": "high",
    "vulnerable_versions": ">=0.0.0",
    "cwe": [],
    "cvss": {"score": 9.8, "vectorString": None},
}


class Service(BaseHTTPRequestHandler):
    """Answers in the forms of OSV and of npm's registry."""

    npm: dict[str, Any]

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/query":
            query = json.loads(asked)
            known = (query["package"]["name"], query["version"]) == ("jinja2", VULNERABLE)
            self._respond({"vulns": [KNOWN]} if known else {})
        else:
            self._respond(self.npm)

    def do_GET(self) -> None:
        self.send_error(404)

    def _respond(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base names it so
        pass


@contextmanager
def service(npm: dict[str, Any]) -> Iterator[str]:
    handler = type("Handler", (Service,), {"npm": npm})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with service({}) as url:
        monkeypatch.setenv(dependencies.SERVICE, f"{url}/v1/query")
        monkeypatch.setenv("npm_config_registry", url)
        yield


@pytest.fixture
def out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv(dependencies.SERVICE, f"{url}/v1/query")
    monkeypatch.setenv("npm_config_registry", url)


def lock(folder: Path, version: str) -> tuple[Path, ...]:
    path = folder / "requirements.txt"
    path.write_text(LOCK.format(version=version))
    return (path,)


@pytest.mark.usefixtures("reached")
def test_a_vulnerable_pin_fails_with_its_advisory_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"jinja2 2\.4\.1: PYSEC-2014-8, fixed in 2\.7\.2"):
        dependencies.check_python(lock(tmp_path, VULNERABLE))
    assert dependencies.check_python(lock(tmp_path, "3.1.6")) == "1 Python packages of 1 locks"


@pytest.mark.usefixtures("reached")
def test_an_accepted_advisory_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dependencies.ACCEPTED, "PYSEC-2014-8", "no template of a stranger is rendered")
    assert dependencies.check_python(lock(tmp_path, VULNERABLE)) is not None


@pytest.mark.usefixtures("reached")
def test_all_locks_are_checked() -> None:
    said = dependencies.check(strict=True)
    assert f"Python packages of {len(dependencies.LOCKS)} locks" in said
    assert "npm packages" in said
    assert {"checkov.txt", "dev.txt", "gates.txt", "sam.txt", "uv.txt"} <= {
        each.name for each in dependencies.LOCKS
    }


def test_a_vulnerable_npm_package_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = json.loads((dependencies.PAGES / "package-lock.json").read_text())
    name = next(path for path in lock["packages"] if path.count("node_modules/") == 1).removeprefix(
        "node_modules/"
    )
    with service({name: [ADVISORY]}) as url:
        monkeypatch.setenv("npm_config_registry", url)
        with pytest.raises(GateError, match=rf"{name} \(high\)"):
            dependencies.check_npm()


@pytest.mark.usefixtures("out_of_reach")
def test_a_service_out_of_reach_is_said_and_fails_only_where_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Python and npm packages NOT CHECKED: the service of vulnerabilities is out of reach"
    monkeypatch.delenv(dependencies.STRICT, raising=False)
    assert dependencies.check() == said
    monkeypatch.setenv(dependencies.STRICT, "1")
    with pytest.raises(GateError, match=said):
        dependencies.check()


def test_each_accepted_advisory_has_a_reason() -> None:
    assert all(len(reason.split()) >= 4 for reason in dependencies.ACCEPTED.values())
