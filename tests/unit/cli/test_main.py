from pathlib import Path

import pytest

from tests.unit.cli.command_line import CommandLine, Terminal

COMMANDS = [
    ("call",),
    ("cells", "add"),
    ("cells", "list"),
    ("cells", "show"),
    ("cells", "remove"),
    ("cells", "join"),
    ("tenant", "assign"),
    ("tenant", "show"),
    ("tenant", "move"),
    ("deliveries", "list"),
    ("deliveries", "show"),
    ("deliveries", "explain"),
    ("deliveries", "replay"),
    ("deliveries", "replays"),
    ("deliveries", "cancel"),
    ("dlq", "list"),
    ("dlq", "show"),
    ("dlq", "redrive"),
    ("dlq", "purge"),
    ("doctor",),
    ("headers",),
    ("health",),
    ("keys", "new"),
    ("license", "issue"),
    ("license", "list"),
    ("license", "disable"),
    ("publish",),
    ("tail",),
    ("test",),
    ("verify",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_examples(
    webhooks: CommandLine, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert webhooks(*command, "--help").code == 0
    shown = capsys.readouterr().out
    assert "examples:\n  webhooks " in shown or f"webhooks {' '.join(command)}" in shown
    assert "--json" in shown


def test_the_help_explains_the_exit_codes(webhooks: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    assert webhooks("--help").code == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {code}  " in shown for code in range(5))


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("nonsense",),
        ("call",),
        ("keys",),
        ("license",),
        ("keys", "new", "--curve", "x"),
        ("call", "GET", "/", "--nope"),
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2_and_shows_the_usage(webhooks: CommandLine, argv: tuple[str, ...]) -> None:
    ended = webhooks(*argv)
    assert ended.code == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("webhooks: ")
    assert "usage: webhooks" in ended.stderr


def test_an_error_with_json_is_one_document_too(webhooks: CommandLine) -> None:
    ended = webhooks("headers", "--json")
    assert ended.code == 4
    assert ended.document["exitCode"] == 4
    assert ".local/stack.json" in ended.document["error"]


def test_a_fault_of_the_command_shows_its_type_and_no_data(
    webhooks: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(length: int) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(webhooks, "random_bytes", broken)
    ended = webhooks("keys", "new")
    assert ended.code == 70
    assert "ZeroDivisionError" in ended.stderr
    assert "a secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_ends_with_130_and_no_traceback(
    webhooks: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(length: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(webhooks, "random_bytes", interrupted)
    ended = webhooks("keys", "new")
    assert (ended.code, ended.stderr) == (130, "")


def test_a_table_is_drawn_on_a_terminal_and_plain_elsewhere(webhooks: CommandLine, tmp_path: Path) -> None:
    headers = webhooks.write(
        "headers.txt", "webhook-id: d1\nwebhook-timestamp: 1\nwebhook-signature: v1,AA=="
    )
    webhooks.write("body.json", "{}")
    argv = (
        "verify", "--url", "https://example.com/h", "--headers", headers, "--body", "body.json",
        "--secret", "whsec_" + "A" * 43 + "=",
    )  # fmt: skip
    plain, drawn = webhooks(*argv), webhooks(*argv, stdout=Terminal())
    assert "┃" not in plain.stdout
    assert "┃" in drawn.stdout
    assert plain.stdout.splitlines()[0].split() == ["scheme", "verdict"]
