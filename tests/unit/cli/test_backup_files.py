"""Files of backups: what is damaged, foreign or too new is refused with a sentence, before anything is used."""

import json
import re
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tests.unit.cli.command_line import CommandLine
from webhooks_cli.backup.age_files import MAX_LINE, read_lines, write_encrypted
from webhooks_cli.backup.records import FORM, Read, Written, from_line, to_line
from webhooks_cli.errors import RefusedError
from webhooks_cli.main import parser

PAGE = Path(__file__).parents[3] / "docs" / "restore.md"

HEADER: dict[str, Any] = {
    "kind": "backup",
    "form": FORM,
    "version": "1.2.3",
    "createdAt": "now",
    "stack": "webhooks",
    "parameters": {"EcCurveName": "secp256k1"},
}
RECORDS: list[dict[str, Any]] = [
    HEADER,
    {"kind": "secret", "name": "serviceKeysSecret", "value": '{"seed": "planted"}'},
    {
        "kind": "access",
        "item": {"pk": {"S": "license#aa"}, "raw": {"B": b"\0\xff"}, "all": {"BS": [b"a", b"b"]}},
    },
    {"kind": "community", "pk": "C#acme#north", "items": []},
]


class Files:
    """Files of backups in a folder, and the identity for them."""

    def __init__(self, webhooks: CommandLine) -> None:
        self.webhooks = webhooks
        made = webhooks("backup", "key", "identity", "--json")
        assert made.code == 0, made.stderr
        self.recipient = pyrage.x25519.Recipient.from_str(made.document["recipient"])
        self.path = webhooks.folder / "a.age"

    def write(self, lines: list[bytes]) -> None:
        self.path.unlink(missing_ok=True)
        write_encrypted(self.path, lines, [self.recipient])

    def refusal(self, identity: str = "identity", stdin: str = "") -> str:
        """Return the error of `backup show`, which exits with 2 and shows no secret."""
        shown = self.webhooks("backup", "show", "a.age", "--identity", identity, stdin=stdin)
        assert shown.code == 2, shown.stdout + shown.stderr
        assert "planted" not in shown.stderr
        return shown.stderr


@pytest.fixture
def files(webhooks: CommandLine) -> Files:
    return Files(webhooks)


def lines_of(records: list[dict[str, Any]]) -> list[bytes]:
    return list(Written(records).lines())


def test_records_are_read_as_they_were_written() -> None:
    read = Read([line.rstrip(b"\n") for line in lines_of(RECORDS)], "file")
    assert list(read.records()) == RECORDS
    assert read.whole.counts == {"access": 1, "community": 1}


def test_a_whole_file_is_shown(files: Files) -> None:
    files.write(lines_of(RECORDS))

    shown = files.webhooks("backup", "show", "a.age", "--identity", "identity")

    assert shown.code == 0, shown.stderr
    assert "webhooks, now" in shown.stdout
    assert "1          licenses" in shown.stdout
    assert "planted" not in shown.stdout


def test_a_newer_form_is_refused_with_the_version_that_reads_it(files: Files) -> None:
    files.write([to_line({**HEADER, "form": FORM + 1, "later": "planted"}), b"not even JSON"])

    assert "version 1.2.3 or newer" in files.refusal()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "damaged, or was cut off"),
        ([b"planted"], "is no backup of this service"),
        ([to_line({"kind": "other", "item": {}})], "is no backup of this service"),
        (lines_of(RECORDS)[:-1], "damaged, or was cut off"),
        ([*lines_of(RECORDS)[:1], *lines_of(RECORDS)[2:]], "its digest differs"),
        ([*lines_of(RECORDS), to_line(RECORDS[1])], "goes on after its end"),
        ([to_line(HEADER), b"[" * 100_000], "is no backup of this service"),
        ([to_line(HEADER), to_line({"kind": "webhook"})], "is no backup of this service"),
        ([to_line(HEADER), to_line({"kind": "webhook", "item": 1})], "is no backup of this service"),
        (
            [to_line(HEADER), to_line({"kind": "community", "pk": 1, "items": []})],
            "is no backup of this service",
        ),
        ([to_line(HEADER), to_line({"kind": "end"})], "is no backup of this service"),
        ([to_line(HEADER), to_line({"kind": "planted"})], "is no backup of this service"),
        ([to_line({**HEADER, "stack": 1})], "is no backup of this service"),
        ([b" " * (MAX_LINE + 300_000)], "a line of it is longer than any record"),
    ],
)
def test_other_contents_are_refused(files: Files, lines: list[bytes], expected: str) -> None:
    files.write(lines)

    assert expected in files.refusal()


@pytest.mark.parametrize("at", [0, 30, 150, 199, 300_000, 599_990])
def test_a_changed_byte_is_refused(files: Files, at: int) -> None:
    noise = [
        {"kind": "other", "item": {"pk": {"B": bytes(range(256))}}, "n": n, "x": f"{n * 7919:x}"}
        for n in range(9000)
    ]
    files.write(lines_of([*RECORDS, *noise]))
    content = bytearray(files.path.read_bytes())
    content[at % len(content)] ^= 1
    files.path.write_bytes(content)

    files.refusal()


@pytest.mark.parametrize("length", [1, 100, 199, -1])
def test_a_cut_file_is_refused(files: Files, length: int) -> None:
    files.write(lines_of(RECORDS))
    files.path.write_bytes(files.path.read_bytes()[:length])

    files.refusal()


def test_a_file_for_other_identities_is_refused(files: Files) -> None:
    files.write(lines_of(RECORDS))
    files.webhooks("backup", "key", "another")

    assert "encrypted for other identities" in files.refusal("another")


def test_an_identity_is_used_with_its_passphrase_only(files: Files) -> None:
    made = files.webhooks("backup", "key", "closed", "--passphrase", "--json", stdin="correct\ncorrect\n")
    assert made.document["encrypted"]
    closed = files.webhooks.folder / "closed"
    assert b"AGE-SECRET-KEY" not in closed.read_bytes()
    assert closed.stat().st_mode & 0o777 == 0o600
    files.recipient = pyrage.x25519.Recipient.from_str(made.document["recipient"])
    files.write(lines_of(RECORDS))

    assert "passphrase is wrong" in files.refusal("closed", stdin="wrong\n")
    assert "passphrase is empty" in files.refusal("closed")
    files.webhooks.write("passphrase", "correct\n")
    show = ("backup", "show", "a.age", "--identity", "closed", "--passphrase-file", "passphrase")
    assert files.webhooks(*show).code == 0


def test_two_passphrases_that_differ_make_no_key(webhooks: CommandLine) -> None:
    made = webhooks("backup", "key", "closed", "--passphrase", stdin="one\ntwo\n")

    assert made.code == 2
    assert not (webhooks.folder / "closed").exists()


def test_a_key_file_is_never_overwritten(files: Files) -> None:
    before = (files.webhooks.folder / "identity").read_bytes()

    assert files.webhooks("backup", "key", "identity").code == 2
    assert (files.webhooks.folder / "identity").read_bytes() == before


@pytest.mark.parametrize("content", ["", "# nothing\n", "AGE-SECRET-KEY-1PLANTED\n", "age1planted\n"])
def test_recipients_that_are_none_are_refused(webhooks: CommandLine, content: str) -> None:
    webhooks.write("recipients", content)
    webhooks.write_stack(stackName="webhooks")

    refused = webhooks("backup", "create", "a.age", "--recipients", "recipients")

    assert refused.code == 2
    assert "PLANTED" not in refused.stderr.upper()


def test_an_error_of_the_records_ends_the_file_with_its_own_text(files: Files) -> None:
    def lines() -> Any:
        yield to_line(HEADER)
        raise RefusedError("no such table")

    with pytest.raises(RefusedError, match="no such table"):
        write_encrypted(files.path, lines(), [files.recipient])
    assert sorted(each.name for each in files.path.parent.iterdir()) == ["identity"]


def test_a_reader_that_leaves_early_ends_the_decryption(files: Files) -> None:
    files.write([b"x" * 5000 + b"\n"] * 2000)
    identity = pyrage.x25519.Identity.from_str(
        (files.webhooks.folder / "identity").read_text().splitlines()[-1]
    )
    lines = read_lines(files.path, [identity])
    assert next(lines) == b"x" * 5000
    lines.close()  # type: ignore[attr-defined]  # a generator; joins the thread


def test_a_line_of_json_is_no_place_for_other_values() -> None:
    for line in (b"[]", b'"text"', b"{}", b'{"kind": 1}'):
        with pytest.raises(ValueError):  # noqa: PT011 - it has no text
            from_line(line)
    assert json.loads(to_line({"kind": "a", "b": b"\xff"})) == {"kind": "a", "b": {"base64": "/w=="}}


def commands_of_the_page() -> list[str]:
    """Return the commands in docs/restore.md: those of one line, and those that go on in the next."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = [re.match(r"webhooks [^#>&]+", line) for line in lines]
    return [each[0].strip() for each in found if each]


def test_the_page_shows_commands_that_exist() -> None:
    commands = commands_of_the_page()
    assert len(commands) > 10
    for command in commands:
        words = [word.strip('"') for word in command.split()[1:]]
        options = parser().parse_args(words)
        assert options.run
