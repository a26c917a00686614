import json
import stat
from pathlib import Path

import pytest

from tests import plain_protocol
from tests.unit.cli.command_line import CommandLine


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("curve", ["secp256k1", "prime256v1"])
def test_a_new_pair_belongs_together_by_the_plain_protocol(webhooks: CommandLine, curve: str) -> None:
    document = webhooks("keys", "new", "--curve", curve, "--json").document
    assert document["curve"] == curve
    assert plain_protocol.read_key_pair(document["privateKey"], curve).public == document["publicKey"]


def test_a_pair_is_three_lines_without_json(webhooks: CommandLine) -> None:
    lines = webhooks("keys", "new").stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["curve", "publicKey", "privateKey"]


def test_a_private_key_file_is_readable_by_its_owner_only_and_not_printed(
    webhooks: CommandLine, tmp_path: Path
) -> None:
    ended = webhooks("keys", "new", "--out", "my.key", "--json")
    file = tmp_path / "my.key"
    assert mode(file) == 0o600
    content = json.loads(file.read_text())
    assert content["curve"] == "secp256k1"
    assert content["privateKey"] not in ended.stdout
    pair = plain_protocol.read_key_pair(content["privateKey"])
    assert pair.public == ended.document["publicKey"]
    assert ended.document["privateKeyFile"] == str(file)
    assert [each.name for each in tmp_path.iterdir()] == ["my.key"]


def test_a_key_file_is_never_written_over(webhooks: CommandLine, tmp_path: Path) -> None:
    webhooks("keys", "new", "--out", "my.key")
    before = (tmp_path / "my.key").read_text()
    ended = webhooks("keys", "new", "--out", "my.key")
    assert ended.code == 2
    assert "exists already" in ended.stderr
    assert (tmp_path / "my.key").read_text() == before


def test_missing_folders_are_created_for_their_owner_only(webhooks: CommandLine, tmp_path: Path) -> None:
    assert webhooks("keys", "new", "--out", "config/webhooks/prod.key").code == 0
    made = [tmp_path / name for name in ("config", "config/webhooks", "config/webhooks/prod.key")]
    assert [mode(path) for path in made] == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("out", ["a-file/my.key", "a-file/deeper/my.key"])
def test_a_folder_that_is_a_file_is_named(webhooks: CommandLine, out: str) -> None:
    webhooks.write("a-file", "")
    ended = webhooks("keys", "new", "--out", out)
    assert ended.code == 2
    assert f"{out} cannot be written" in ended.stderr
