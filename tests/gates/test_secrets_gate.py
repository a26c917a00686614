"""The gate of secrets: planted keys are found; values that open nothing are known by reason."""

import subprocess
from hashlib import sha1
from pathlib import Path

import pytest

from tools.gates import secrets
from tools.gates.gate import GateError

# In parts, as the gate reads this file too.
ACCESS_KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
PRIVATE_KEY = "-----BEGIN EC PRIVATE" + " KEY-----"
PASSWORD = 'password = "' + 'hunter2-and-more"'
HIDDEN = f'key = "{ACCESS_KEY}"  # pragma: allowlist' + " secret"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "layers").mkdir(parents=True)
    (folder / "layers" / "app.py").write_text('GREETING = "hello"\n')
    (folder / ".gitignore").write_text("ignored/\n")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    return folder


@pytest.fixture
def known(tmp_path: Path) -> Path:
    path = tmp_path / "known_secrets.toml"
    path.write_text("known = []\n")
    return path


def test_a_repository_without_secrets_holds(repository: Path, known: Path) -> None:
    assert secrets.check(repository, known).startswith("2 files")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f'key = "{ACCESS_KEY}"', "AWS Access Key"),
        (PRIVATE_KEY, "Private Key"),
        (PASSWORD, "Secret Keyword"),
        (HIDDEN, "AWS Access Key"),
    ],
)
def test_a_planted_secret_is_found(repository: Path, known: Path, text: str, kind: str) -> None:
    (repository / "layers" / "app.py").write_text(f"x = 1\n{text}\n")
    with pytest.raises(GateError) as raised:
        secrets.check(repository, known)
    assert f"layers/app.py:2: {kind}" in str(raised.value)
    assert ACCESS_KEY not in str(raised.value)


def test_a_file_that_git_ignores_is_not_read(repository: Path, known: Path) -> None:
    (repository / "ignored").mkdir()
    (repository / "ignored" / "key.txt").write_text(PRIVATE_KEY)
    assert secrets.check(repository, known).startswith("2 files")


def test_a_known_value_holds_with_a_reason_alone(repository: Path, known: Path) -> None:
    (repository / "layers" / "app.py").write_text(f'key = "{ACCESS_KEY}"\n')
    digest = sha1(ACCESS_KEY.encode()).hexdigest()
    known.write_text(f'[[known]]\nreason = "an example of a published page"\nvalues = ["{digest}"]\n')
    assert "1 known values" in secrets.check(repository, known)
    known.write_text(f'[[known]]\nreason = ""\nvalues = ["{digest}"]\n')
    with pytest.raises(GateError, match="without a reason"):
        secrets.check(repository, known)


def test_each_known_value_of_this_repository_has_a_reason() -> None:
    assert len(secrets.known_values()) > 0
