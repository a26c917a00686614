"""Asks the questions on a terminal, one at a time, until each answer can be used."""

from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

from tools.deployment.account import Account
from tools.deployment.entry import Entry
from tools.deployment.parameters import Parameter
from tools.deployment.questions import QUESTIONS, REGION, Question, answered, default, refusal

NONE = "-"  # the answer that empties a value


class Dialog:
    """A dialog about one entry; `look_at` returns the facts of the account in a region."""

    def __init__(
        self,
        stdin: TextIO,
        stdout: TextIO,
        *,
        parameters: Mapping[str, Parameter],
        look_at: Callable[[str], Account],
        region: str,
    ) -> None:
        self._stdin, self._stdout = stdin, stdout
        self._parameters = parameters
        self._look_at = look_at
        self._region = region

    def ask(self, name: str, former: Entry) -> Entry:
        """Ask everything that the template knows. Raises EOFError at the end of the input."""
        self._say(f"Settings of {name}. Return takes the value in brackets, {NONE} empties it.")
        values: dict[str, str] = {}
        account = Account()
        asked = 0
        for question in self._known():
            if not question.asked_if(values):
                continue
            proposed = (
                former.region or self._region
                if question.name == REGION
                else default(question, former, self._parameters, name=name, account=account)
            )
            asked += 1
            values[question.name] = self._value(asked, question, proposed)
            if question.name == REGION:
                account = self._look_at(values[REGION])
                self._say(
                    f"  AWS account {account.number}"
                    if account.number
                    else "  no AWS credentials work here: you need them to deploy, and not for the questions"
                )
        return answered(former, values, self._parameters)

    def _known(self) -> Iterator[Question]:
        for each in QUESTIONS:
            if each.name[0].islower() or each.name in self._parameters:
                yield each

    def _value(self, number: int, question: Question, proposed: str) -> str:
        self._say(f"\n{number}. {question.text}")
        if question.is_fixed:
            self._say("   It cannot be changed after the first deployment.")
        if question.example:
            self._say(f"   For example: {question.example}")
        while True:
            answer = self._line(f"   [{question.shown(proposed)}] ")
            if answer == NONE:
                value = ""
            elif answer:
                try:
                    value = question.read(answer)
                except ValueError as error:
                    self._say(f"   {error}")
                    continue
            else:
                value = proposed
            problem = refusal(question, value, self._parameters)
            if not problem:
                return value
            self._say(f"   {question.name} {problem}")

    def _line(self, prompt: str) -> str:
        self._stdout.write(prompt)
        self._stdout.flush()
        line = self._stdin.readline()
        if not line:
            raise EOFError
        return line.strip()

    def _say(self, text: str) -> None:
        self._stdout.write(f"{text}\n")
