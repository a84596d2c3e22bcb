"""Where a step of a plan stands on the board: its lane, and the words beside its mark.

This is about drawing alone. A step that is not named here stands in the lane of its resource type.
"""

import re
from dataclasses import dataclass

INFUSION, EMBOLISATION, SYSTEMIC = "infusion", "embolisation", "systemic"
LABS, IMAGING, RADIOTHERAPY = "labs", "imaging", "radiotherapy"

LANES = (
    (INFUSION, "Arterial infusion"),
    (EMBOLISATION, "Embolisation"),
    (SYSTEMIC, "Drug in the vein"),
    (LABS, "Checks and labs"),
    (IMAGING, "Imaging, MDT"),
    (RADIOTHERAPY, "Radiotherapy"),
)
"""Lanes from top to bottom, with their names."""


@dataclass(frozen=True)
class Step:
    """How a step is drawn.

    Attributes:
        lane: one of `LANES`.
        label: words beside the mark; `{day}` becomes its date. None: the mark has no words.
        drawn: whether the board has a mark for it (the list always has a row).
        opens_segment: whether its date is day 0 of its segment.
        bar: whether its allowed days are drawn.
    """

    lane: str
    label: str | None = "{day}"
    drawn: bool = True
    opens_segment: bool = False
    bar: bool = True


STEPS = {
    "LUNG-A01": Step(IMAGING, "baseline"),
    "LUNG-A02": Step(LABS, None),
    "LUNG-A03": Step(INFUSION, opens_segment=True),
    "LUNG-A03.drug": Step(INFUSION, None, drawn=False, opens_segment=True),
    "LUNG-A04": Step(EMBOLISATION, "all but one"),
    "LUNG-A05": Step(SYSTEMIC),
    "LUNG-A06": Step(LABS, drawn=False),
    "LUNG-A07": Step(LABS, bar=False),
    "LUNG-A08": Step(IMAGING, "CT {day}"),
    "LUNG-A09": Step(EMBOLISATION, "complete"),
    "LUNG-A10": Step(IMAGING, "CT and MDT {day}"),
    "LUNG-A11": Step(RADIOTHERAPY, "start {day}"),
    "LUNG-A12": Step(IMAGING, drawn=False),
    "LUNG-A13": Step(IMAGING, drawn=False),
    "LUNG-A14": Step(LABS, drawn=False),
}
_BY_TYPE = {"MedicationRequest": Step(SYSTEMIC), "ServiceRequest": Step(LABS)}
_ACTION = re.compile(r"(?P<stem>[A-Z]+-[A-Z]\d+)(?P<parts>(?:\.\d+)*)(?P<drug>\.drug)?$")


def stem_of(action_id: str) -> str:
    """Return the action without segment and day: `LUNG-A03.2.drug` -> `LUNG-A03.drug`."""
    found = _ACTION.match(action_id)
    return action_id if found is None else found["stem"] + (found["drug"] or "")


def step_of(action_id: str, resource_type: str, *, arterial: bool) -> Step:
    """Return how an action is drawn.

    Args:
        action_id: id of the action, `LUNG-A03.2`.
        resource_type: FHIR type of its request.
        arterial: its drug goes into an artery; a drug that does not stands in the lane of the vein.
    """
    step = STEPS.get(stem_of(action_id)) or _BY_TYPE.get(resource_type) or Step(LABS, drawn=False)
    if resource_type == "MedicationRequest" and step.lane == INFUSION and not arterial:
        return Step(SYSTEMIC, opens_segment=step.opens_segment)
    return step
