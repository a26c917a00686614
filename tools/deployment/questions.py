"""The questions: settings that have no good default, or that can never be changed later."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.deployment.account import Account
from tools.deployment.entry import Entry
from tools.deployment.parameters import Parameter

REGION, STACK = "region", "stack name"
YES_NO = {"yes": True, "y": True, "no": False, "n": False}
Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `choices`: the parameter's value for yes and for no, where it is a question of yes or no.

    `asked_if` decides by the values so far. `is_fixed`: cannot be changed after the first deployment.
    """

    name: str
    text: str
    example: str = ""
    choices: tuple[str, str] | None = None
    is_fixed: bool = False
    is_required: bool = False
    asked_if: Callable[[Values], bool] = lambda _values: True

    def shown(self, value: str) -> str:
        """Return a value as a person reads it."""
        if self.choices:
            return "yes" if value == self.choices[0] else "no"
        return value

    def read(self, answer: str) -> str:
        """Return the value of an answer; raises ValueError with a sentence."""
        if not self.choices:
            return answer
        if answer.lower() not in YES_NO:
            raise ValueError("answer yes or no")
        return self.choices[0] if YES_NO[answer.lower()] else self.choices[1]


QUESTIONS = (
    Question(
        REGION,
        "In which AWS region does the service run?",
        example="eu-west-1",
        is_fixed=True,
        is_required=True,
    ),
    Question(
        STACK,
        "What is the stack called? The names of all its resources begin with it.",
        example="webhooks",
        is_fixed=True,
        is_required=True,
    ),
    Question(
        "Stage",
        "What is the first part of the API's paths, as prod in https://…/prod/healthz?",
        example="prod",
        is_fixed=True,
    ),
    Question(
        "EcCurveName",
        "Must the API's keys be on P-256, as FIPS asks? "
        "The platform's client libraries need the other curve, secp256k1.",
        choices=("prime256v1", "secp256k1"),
        is_fixed=True,
    ),
    Question(
        "ApiGatewayLogsRole",
        "Does API Gateway have a role for its logs in this account and region already? "
        "With no, the stack sets one for all APIs.",
        choices=("Existing", "Create"),
    ),
    Question(
        "DomainName",
        "Which domain of your own does the API get? Empty: the one that AWS gives it.",
        example="hooks.example.com",
    ),
    Question(
        "CertificateArn",
        "Which certificate is for that domain, in AWS Certificate Manager and in this region?",
        example="arn:aws:acm:eu-west-1:111122223333:certificate/0f1e2d3c",
        is_required=True,
        asked_if=lambda values: bool(values.get("DomainName")),
    ),
    Question(
        "HostedZoneId",
        "In which public hosted zone of Route 53 is its record to be made? Empty: your DNS is elsewhere.",
        example="Z0123456789ABCDEFGHIJ",
        asked_if=lambda values: bool(values.get("DomainName")),
    ),
    Question(
        "AlarmTopicArn",
        "Which SNS topic gets the alarms? Empty: they only show in CloudWatch.",
        example="arn:aws:sns:eu-west-1:111122223333:on-call",
    ),
    Question(
        "ProducerAccounts",
        "Which other AWS accounts send events? Empty: none.",
        example="111122223333,444455556666",
    ),
)
PATTERNS = {
    REGION: (
        re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]"),
        "must be the code of a region, such as eu-west-1",
    ),
    STACK: (
        re.compile(r"[A-Za-z][A-Za-z0-9-]{0,29}"),
        "must be 1 to 30 letters, digits and hyphens, a letter first",
    ),
}


def refusal(question: Question, value: str, parameters: Mapping[str, Parameter]) -> str:
    """Return a sentence where a value cannot be used, else an empty text."""
    if question.is_required and not value:
        return "is needed"
    if question.name in PATTERNS:
        pattern, sentence = PATTERNS[question.name]
        return "" if pattern.fullmatch(value) else sentence
    return parameters[question.name].refusal(value)


def default(
    question: Question, former: Entry, parameters: Mapping[str, Parameter], *, name: str, account: Account
) -> str:
    """Return the value that an empty answer takes: the former one, the account's or the template's."""
    if question.name == STACK:
        return former.stack_name
    if question.name in former.parameters:
        return former.parameters[question.name]
    if question.name == "Stage" and not parameters["Stage"].refusal(name):
        return name
    # After the first deployment the role may be the stack's own.
    if question.name == "ApiGatewayLogsRole" and account.has_log_role and not former.is_answered:
        return "Existing"
    return parameters[question.name].default


def answered(former: Entry, values: Values, parameters: Mapping[str, Parameter]) -> Entry:
    """Return the entry with the values, without defaults where the former entry cannot have deployed another.

    A deployment keeps the value of a parameter that it does not name.
    """
    merged = dict(former.parameters)
    for name, value in values.items():
        if name not in parameters:
            continue
        if value != parameters[name].default or name in former.parameters:
            merged[name] = value
    if not values.get("DomainName"):
        for name in ("CertificateArn", "HostedZoneId"):
            if name in merged:
                merged[name] = ""
    return Entry(stack_name=values[STACK], region=values[REGION], parameters=merged)
