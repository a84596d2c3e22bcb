"""The override of a draft: a plan against the protocol's answer, its kind and its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivfhir.override import OVERRIDE_KINDS
from ivfhir.wording import words

KINDS = {kind: words.capitalise(named) for kind, named in OVERRIDE_KINDS.items()}
"""Kinds of an override, as `ivfhir apply --override-kind` names them, as they head a line."""


@dataclass(frozen=True)
class Override:
    """Why a plan is made all the same; `kind` in words, '' when none was given."""

    reason: str
    kind: str


def override_of(body: Mapping[str, Any]) -> Override | None:
    """Return the override of a draft's body, None when it has none.

    It is kept as `{"kind", "reason"}`; drafts of earlier versions hold the reason alone, as text.
    """
    kept = body.get("override")
    given = {"reason": kept} if isinstance(kept, str) else kept or {}
    reason, kind = str(given.get("reason") or ""), str(given.get("kind") or "")
    return Override(reason, KINDS.get(kind, kind)) if reason else None
