"""What a plan's dates mean, to be settled before it is accepted: goals missed, facts that run out.

Each protocol says it by two defines, both optional: `Plan_Warnings`, sentences that belong to the
plan, and `Expired_By_Start`, the facts that count today and will be too old on the start day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ivfhir.evaluate import Evaluation

SETTINGS, WARNINGS, EXPIRED = "Plan_Settings", "Plan_Warnings", "Expired_By_Start"


@dataclass(frozen=True)
class ExpiringFact:
    """A fact that will be too old on the day of the start.

    Attributes:
        concept: its key in section 0.1 of the specification.
        measured: the day of its result, a FHIR date.
        until: the last day on which it counts, a FHIR date.
    """

    concept: str
    measured: str
    until: str


def plan_warnings(evaluation: Evaluation) -> tuple[str, ...]:
    """Return what the dates of a plan mean for the protocol's goals, a sentence each.

    Raises:
        EvaluationError: the define fails on this patient's data.
    """
    return tuple(str(each) for each in optional_list(evaluation, WARNINGS))


def expiring_facts(evaluation: Evaluation) -> tuple[ExpiringFact, ...]:
    """Return the facts that run out before the start, each concept once, by last day.

    Raises:
        EvaluationError: the define fails on this patient's data.
    """
    found = {
        str(each["concept"]): ExpiringFact(
            str(each["concept"]), str(each["measured"]), str(each["until"])
        )
        for each in optional_list(evaluation, EXPIRED)
    }
    return tuple(sorted(found.values(), key=lambda fact: (fact.until, fact.concept)))


def optional_list(evaluation: Evaluation, define: str) -> Iterable[Any]:
    """Return the list that a define gives; nothing where the protocol has no such define."""
    if define not in evaluation.protocol.library.defines:
        return ()
    value: Any = evaluation.session.value(define)
    return value or ()
