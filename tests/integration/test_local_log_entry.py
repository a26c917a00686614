"""The delivery log's entry at the end of `make run`."""

import json
from pathlib import Path

import pytest

from local import log_entry
from local.errors import LocalError
from tests.integration.test_cli_deliveries import ID, delivery
from tests.loopback_api import Api


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".local").mkdir()
    return tmp_path


def use(api: Api, folder: Path) -> None:
    stack = {
        "apiUrl": api.url,
        "tenantId": "acme",
        "communityId": "main",
        "licenses": {"system": "a-license"},
    }
    (folder / ".local/stack.json").write_text(json.dumps(stack))


def test_the_entry_is_waited_for_and_drawn_with_its_phases(folder: Path) -> None:
    with Api() as api:
        use(api, folder)
        api.answer("GET", f"delivery/{ID}", {"message": "no such delivery"}, status=404)
        api.answer("GET", f"delivery/{ID}", delivery())
        entry = log_entry.read(ID, folder)
    assert "delivered, settled" in entry
    assert [line.split()[0] for line in entry.splitlines() if log_entry.BAR in line] == [
        "lookup", "connect", "TLS", "first", "rest",
    ]  # fmt: skip


def test_an_entry_that_does_not_come_is_named(folder: Path) -> None:
    with Api() as api:
        use(api, folder)
        api.answer("GET", f"delivery/{ID}", {"message": "no such delivery"}, status=404)
        with pytest.raises(LocalError, match="no such delivery"):
            log_entry.read(ID, folder, seconds=0.3)
