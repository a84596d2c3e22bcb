"""Where a step of a plan stands on the board: its lane, and the words beside its mark.

The protocol says it in the codes of an action. A step without them, as in a plan of an earlier
release, is listed and not drawn: its resource type does not tell a vein from an artery.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEVICE, INFUSION, EMBOLISATION = "device", "infusion", "embolisation"
SYSTEMIC = "systemic"
LABS, IMAGING, RADIOTHERAPY = "labs", "imaging", "radiotherapy"

LANES = (
    (DEVICE, "Stent, port"),
    (INFUSION, "Arterial infusion"),
    (EMBOLISATION, "Embolisation"),
    (SYSTEMIC, "Drug in the vein"),
    (LABS, "Checks and labs"),
    (IMAGING, "Imaging, MDT"),
    (RADIOTHERAPY, "Radiotherapy"),
)
"""Lanes from top to bottom, with their names."""


PLAN_CODES = "/CodeSystem/io-plan"
_NUMBERS = re.compile(r"\.\d+")


@dataclass(frozen=True)
class Step:
    """How a step is drawn.

    Attributes:
        lane: one of `LANES`; '' where the plan does not say it.
        label: words beside the mark; `{day}` becomes its date. None: the mark has no words.
        drawn: whether the board has a mark for it (the list always has a row).
        opens_round: whether its date is day 0 of its round (a segment, a session).
        bar: whether its allowed days are drawn.
    """

    lane: str
    label: str | None = "{day}"
    drawn: bool = True
    opens_round: bool = False
    bar: bool = True


def step_of(action: Mapping[str, Any]) -> Step:
    """Return how an action is drawn.

    Args:
        action: of a RequestGroup, with the codes of `CodeSystem/io-plan` that its protocol gave it.
    """
    codes = plan_codes(action)
    lane = next((lane for lane, _ in LANES if lane in codes), None)
    if lane is None:
        return Step("", drawn=False)
    dated = "{day}" if "dated" in codes else ""
    return Step(
        lane,
        label=f"{action.get('textEquivalent', '')} {dated}".strip() or None,
        drawn="list-only" not in codes,
        opens_round="opens-round" in codes,
        bar="no-bar" not in codes,
    )


def stem_of(action_id: str) -> str:
    """Return the action without round and day: `LUNG-A03.2.drug` -> `LUNG-A03.drug`."""
    return _NUMBERS.sub("", action_id)


def plan_codes(action: Mapping[str, Any]) -> frozenset[str]:
    """Return the codes of `CodeSystem/io-plan` that an action carries."""
    return frozenset(
        str(coding.get("code"))
        for concept in action.get("code", ())
        for coding in concept.get("coding", ())
        if str(coding.get("system", "")).endswith(PLAN_CODES)
    )


def plan_words(action: Mapping[str, Any]) -> str:
    """Return the words beside those codes: what is done, or what a round is called."""
    return next((str(each["text"]) for each in action.get("code", ()) if each.get("text")), "")
