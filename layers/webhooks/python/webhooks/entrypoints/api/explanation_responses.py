"""Responses that explain an event."""

from typing import Any

from webhooks.domain.event import iso_time
from webhooks.domain.explanation import FailedCondition
from webhooks.domain.json_text import write_json
from webhooks.entrypoints.api.schemas.explain_out import ConditionOut, ExplainedOut, ExplanationOut
from webhooks.services.explanation import Explained, ExplanationPage, ListenedNames, Question


def explanation_page(question: Question, page: ExplanationPage, *, cursor: str | None) -> str:
    """Write a page of an explanation. `cursor`: of the next one."""
    return write_json(
        ExplanationOut.of(
            question,
            occurred_at=iso_time(question.log_time) if question.log_time else None,
            webhooks=list(map(_explained, page.webhooks)),
            cursor=cursor,
            listened_names=list(page.listened.names) if page.listened else None,
            message=_message(page.listened) if page.listened else None,
        )
    )


def _explained(one: Explained) -> dict[str, Any]:
    return ExplainedOut.of(
        one,
        result=one.result.value,
        outcome=one.outcome and one.outcome.value,
        conditions=list(map(_condition, one.conditions)) or None,
    )


def _condition(failed: FailedCondition) -> dict[str, Any]:
    # Not `of`, which leaves out None: a condition may want null.
    values = (failed.object, failed.field, failed.wanted, list(failed.found))
    return dict(zip(ConditionOut.model_fields, values, strict=True))


def _message(listened: ListenedNames) -> str:
    if not listened.total:
        return "no enabled webhook listens to this name: the community has no webhooks"
    which = "all" if listened.webhooks >= listened.total else f"the newest {listened.webhooks} of"
    return (
        "no enabled webhook listens to this name; listenedNames has the names that others listen to, of "
        f"{which} {listened.total} webhooks"
    )
