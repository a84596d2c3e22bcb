"""The override of a draft: a plan against the protocol's answer, its kind and its reason."""

import re
from dataclasses import dataclass

from ivfhir.override import OVERRIDE_KINDS
from ivfhir.wording import words
from ivfhir.wording.statuses import STATUS
from smart_app.visit.draft import PlanRequest

KINDS = {kind: words.capitalise(named) for kind, named in OVERRIDE_KINDS.items()}
"""Kinds of an override, as `ivfhir apply --override-kind` names them, as they head a line."""

_ANSWERED = re.compile(rf"({'|'.join(STATUS)})\b")
_SAID = {"not met": "fails", "unknown": "cannot be judged"}
_CRITERION = re.compile(rf" \([A-Z][\w-]*, ({'|'.join(_SAID)})\)")
"""How the note of an override names the answer, and each criterion with its id."""


@dataclass(frozen=True)
class Override:
    """Why a plan is made all the same; `kind` in words, '' when none was given."""

    reason: str
    kind: str


def override_of(asked: PlanRequest) -> Override | None:
    """Return the override that was asked for, None when none was."""
    kind = asked.override_kind or ""
    return Override(asked.override_reason, KINDS.get(kind, kind)) if asked.override_reason else None


def override_note(text: str) -> str:
    """Return the note of an override in the words of the pages; the reason stays as it is.

    `…; status ineligible; criteria overridden: Adult (C-AGE, not met).` becomes `…; the answer was:
    not eligible; criteria overridden: Adult (fails).`; a note of another kind stays as it is.
    """
    reason, _, rest = text.rpartition("; status ")
    found = _ANSWERED.match(rest)
    if found is None:
        return text
    reason = reason.rstrip(".")
    answer = f"; the answer was: {STATUS[found[1]].lower()}{rest[found.end() :]}"
    return reason + _CRITERION.sub(lambda each: f" ({_SAID[each[1]]})", answer)
