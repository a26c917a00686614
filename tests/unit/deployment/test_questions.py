"""`make deploy`: about eight questions on a terminal, answers that are checked, and an entry with the differences."""

import io
import tomllib
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.template.template import ROOT
from tools.deployment import __main__, entry
from tools.deployment.account import Account
from tools.deployment.dialog import Dialog
from tools.deployment.entry import Entry
from tools.deployment.parameters import Parameter, read_parameters
from tools.deployment.questions import QUESTIONS

ENTRIES = ("dev", "staging", "prod")
CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/0f"


@pytest.fixture(scope="module")
def parameters() -> dict[str, Parameter]:
    return read_parameters()


class Terminal:
    def __init__(self, parameters: dict[str, Parameter], *answers: str, **account: Any) -> None:
        self.output = io.StringIO()
        self._dialog = Dialog(
            io.StringIO("".join(f"{each}\n" for each in answers)),
            self.output,
            parameters=parameters,
            look_at=lambda _region: Account(**account),
            region="eu-west-1",
        )

    def ask(self, name: str, former: Entry) -> Entry:
        return self._dialog.ask(name, former)

    @property
    def asked(self) -> int:
        return self.output.getvalue().count("\n   [")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    copy = tmp_path / "samconfig.toml"
    copy.write_text((ROOT / "samconfig.toml").read_text("utf-8"))
    return copy


def returns(count: int) -> list[str]:
    return [""] * count


def test_return_is_a_good_answer_to_every_question(parameters: dict[str, Parameter], config: Path) -> None:
    terminal = Terminal(parameters, *returns(20))
    answered = terminal.ask("prod", entry.read(config, "prod"))
    assert answered == Entry("webhooks", "eu-west-1", {})
    assert 6 <= terminal.asked <= 8


def test_every_question_is_about_a_parameter_of_the_template(parameters: dict[str, Parameter]) -> None:
    # The topic comes with the alarms.
    names = {each.name for each in QUESTIONS} - {"region", "stack name", "AlarmTopicArn"}
    assert names <= parameters.keys()


def test_settings_that_can_never_be_changed_are_asked_and_named_as_such(
    parameters: dict[str, Parameter],
) -> None:
    fixed = {each.name for each in QUESTIONS if each.is_fixed}
    assert fixed == {"region", "stack name", "Stage", "EcCurveName"}
    terminal = Terminal(parameters, *returns(20))
    terminal.ask("prod", Entry("webhooks"))
    assert terminal.output.getvalue().count("cannot be changed after the first deployment") == len(fixed)


def test_a_bad_answer_is_refused_with_the_reason_and_asked_again(parameters: dict[str, Parameter]) -> None:
    answers = ["Ireland", "eu-west-1", "1st", "hooks", "Prod!", "live", "maybe", "yes", *returns(10)]
    terminal = Terminal(parameters, *answers)
    answered = terminal.ask("prod", Entry("webhooks"))
    assert answered == Entry("hooks", "eu-west-1", {"Stage": "live", "EcCurveName": "prime256v1"})
    said = terminal.output.getvalue()
    assert "region must be the code of a region" in said
    assert "stack name must be 1 to 30 letters" in said
    assert f"Stage {parameters['Stage'].declared['ConstraintDescription']}" in said
    assert "answer yes or no" in said


def test_a_domain_asks_for_its_certificate(parameters: dict[str, Parameter]) -> None:
    answers = [*returns(5), "hooks.example.com", "", CERTIFICATE, "Z0123", *returns(5)]
    terminal = Terminal(parameters, *answers)
    answered = terminal.ask("prod", Entry("webhooks"))
    assert answered.parameters == {
        "DomainName": "hooks.example.com",
        "CertificateArn": CERTIFICATE,
        "HostedZoneId": "Z0123",
    }
    assert "CertificateArn is needed" in terminal.output.getvalue()


def test_the_name_of_the_environment_is_its_stage(parameters: dict[str, Parameter]) -> None:
    answered = Terminal(parameters, *returns(20)).ask("blue", Entry("webhooks-blue"))
    assert answered.parameters == {"Stage": "blue"}


@pytest.mark.parametrize(
    ("has_log_role", "expected"), [(True, {"ApiGatewayLogsRole": "Existing"}), (False, {}), (None, {})]
)
def test_the_role_for_logs_that_the_account_has_is_kept(
    parameters: dict[str, Parameter], has_log_role: bool | None, expected: dict[str, str]
) -> None:
    terminal = Terminal(parameters, *returns(20), number="111122223333", has_log_role=has_log_role)
    assert terminal.ask("prod", Entry("webhooks")).parameters == expected


def test_answers_given_again_keep_everything_else(parameters: dict[str, Parameter]) -> None:
    former = Entry("hooks", "eu-west-1", {"RetryDelays": "5,50", "DomainName": "a.example.com"} | {
        "CertificateArn": CERTIFICATE})  # fmt: skip
    terminal = Terminal(parameters, *returns(20), number="1", has_log_role=True)
    assert terminal.ask("prod", former) == former


def test_a_value_that_is_emptied_is_named_because_the_stack_would_keep_it(
    parameters: dict[str, Parameter],
) -> None:
    former = Entry("hooks", "eu-west-1", {"DomainName": "a.example.com", "CertificateArn": CERTIFICATE})
    answered = Terminal(parameters, *returns(5), "-", *returns(5)).ask("prod", former)
    assert answered.parameters == {"DomainName": "", "CertificateArn": ""}


def test_the_end_of_the_input_is_no_answer(parameters: dict[str, Parameter]) -> None:
    with pytest.raises(EOFError):
        Terminal(parameters, "eu-west-1").ask("prod", Entry("webhooks"))


def test_a_written_entry_is_read_as_it_was(config: Path) -> None:
    written = Entry("hooks", "eu-west-1", {"DomainName": "", "RetryDelays": "5,50", "AllowedPorts": "443"})
    entry.write(config, "prod", written)
    assert entry.read(config, "prod") == written
    assert '"DomainName=\\"\\""' in config.read_text()  # as SAM wants an empty value


@pytest.mark.parametrize("name", ["prod", "dev", "blue"])
def test_writing_an_entry_leaves_all_else_as_it_was(config: Path, name: str) -> None:
    before = tomllib.loads(config.read_text())
    comment = config.read_text().split("version =")[0]
    entry.write(config, name, Entry("hooks", "eu-west-1", {"RetryDelays": "5,50"}))
    after = tomllib.loads(config.read_text())
    changed = after.pop(name)
    former = before.pop(name, None)
    assert after == before
    assert config.read_text().startswith(comment)
    assert changed["global"]["parameters"]["region"] == "eu-west-1"
    if former:
        assert changed["deploy"] == former["deploy"]
    else:
        assert changed["deploy"]["parameters"]["tags"] == ["service=webhooks", "environment=blue"]


def test_writing_twice_is_writing_once(config: Path) -> None:
    entry.write(config, "blue", Entry("hooks", "eu-west-1"))
    once = config.read_text()
    entry.write(config, "blue", Entry("hooks", "eu-west-1"))
    assert config.read_text() == once


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_holds_only_what_differs(parameters: dict[str, Parameter], name: str) -> None:
    found = entry.read(ROOT / "samconfig.toml", name)
    assert not [key for key, value in found.parameters.items() if value == parameters[key].default]
    assert not [key for key, value in found.parameters.items() if parameters[key].refusal(value)]


def test_stacks_of_the_entries_do_not_meet() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    names = [config[name]["global"]["parameters"]["stack_name"] for name in ENTRIES]
    assert len(set(names)) == len(ENTRIES)
    assert config["prod"]["global"]["parameters"]["stack_name"] == "webhooks"


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_has_the_settings_that_sam_needs_and_cost_tags(name: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    deploy = config[name]["deploy"]["parameters"]
    assert deploy["resolve_s3"] is True
    assert deploy["capabilities"] == config["default"]["deploy"]["parameters"]["capabilities"]
    assert deploy["tags"] == ["service=webhooks", f"environment={name}"]
    assert config[name]["build"]["parameters"] == config["default"]["build"]["parameters"]


@pytest.mark.parametrize("name", ["default", "local", "Prod", "a b"])
def test_a_name_that_is_no_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setattr("sys.argv", ["deployment", name, "--only-ask"])
    with pytest.raises(SystemExit):
        __main__.main()
    assert "an environment is" in capsys.readouterr().err


def test_an_input_that_ends_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    before = config.read_text()
    monkeypatch.setattr("sys.argv", ["deployment", "prod", "--only-ask", "--config", str(config)])
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert __main__.main() == 1
    assert "the input ended before the last answer" in capsys.readouterr().err
    assert config.read_text() == before


SEPARATE = {"ServiceKeysSecret": "a", "SigningKeysSecret": "b", "WebhookMasterSecret": "c"}
KEY = {**SEPARATE, "KeyArn": "arn"}


@pytest.mark.parametrize(
    ("outputs", "chosen", "refusal"),
    [
        (KEY, {"EncryptionKey": "AwsOwned"}, "has a key of its own"),
        (KEY, {"EncryptionKey": "Customer"}, ""),
        (KEY, {}, ""),
        (SEPARATE, {"EncryptionKey": "AwsOwned"}, ""),  # as it was deployed first
        (None, {"EncryptionKey": "AwsOwned"}, ""),  # the first deployment
        (SEPARATE, {"SeedSecrets": "One"}, "would get other keys"),
        (SEPARATE, {"SeedSecrets": "Separate"}, ""),
        (dict.fromkeys(SEPARATE, "a"), {"SeedSecrets": "One"}, ""),
        (dict.fromkeys(SEPARATE, "a"), {}, "would get other keys"),
        (None, {"SeedSecrets": "One"}, ""),
    ],
)
def test_a_stack_is_not_deployed_so_that_it_loses_its_keys(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    config: Path,
    *,
    outputs: dict[str, str] | None,
    chosen: dict[str, str],
    refusal: str,
) -> None:
    """Credentials and waiting messages could not be read any more; callers and receivers know no other keys."""

    class CloudFormation:
        def describe_stacks(self, **asked: str) -> Any:
            assert asked == {"StackName": "hooks"}
            if outputs is None:
                raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
            shown = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
            return {"Stacks": [{"Outputs": shown}]}

    deployed: list[str] = []
    entry.write(config, "prod", Entry("hooks", "eu-west-1", chosen))

    def deploy(_path: Path, name: str) -> int:
        deployed.append(name)
        return 0

    monkeypatch.setattr("boto3.client", lambda *_, **__: CloudFormation())
    monkeypatch.setattr(__main__, "_deploy", deploy)
    monkeypatch.setattr("sys.argv", ["deployment", "prod", "--config", str(config)])

    assert __main__.main() == (1 if refusal else 0)
    assert deployed == ([] if refusal else ["prod"])
    written = capsys.readouterr().err
    assert refusal in written if refusal else not written
