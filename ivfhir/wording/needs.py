"""What has to be obtained: one line a need, however many facts a criterion lacks for it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ivfhir.wording.concepts import OBTAIN, concept_inside
from ivfhir.wording.sentences import capitalise, join


@dataclass(frozen=True)
class Need:
    """What would settle something.

    Attributes:
        name: as it stands inside a sentence, such as `creatinine or eGFR`.
        how: what to obtain for it.
        several: it takes a verb in the plural.
    """

    name: str
    how: str
    several: bool = False

    @property
    def heading(self) -> str:
        """The name as a line begins with it."""
        return capitalise(self.name)


@dataclass(frozen=True)
class _Together:
    """Facts that one examination, one statement or one entry gives.

    Attributes:
        keys: of the data dictionary; the need is this one when several of them are missing.
        need: its words.
        alone: it is this one also when a single one of them is missing.
        listed: `{facts}` in what to obtain stands for the names of those that are missing.
    """

    keys: tuple[str, ...]
    need: Need
    alone: bool = False
    listed: bool = False


_TOGETHER = (
    _Together(("creatinine", "egfr"), Need("creatinine or eGFR", "a blood result")),
    _Together(
        ("platelets", "anc", "haemoglobin"), Need("blood count", "with {facts}"), listed=True
    ),
    _Together(("weight", "height", "bmi"), Need("weight and height", "measurements", several=True)),
    _Together(
        ("surgical-candidacy", "stage-group"),
        Need(
            "statement on surgery",
            "of the tumour board (MDT); without one, a stage group may settle it",
        ),
    ),
    _Together(
        ("metastatic-extent", "metastatic-organ-count", "distant-lesion-count", "m-category"),
        Need(
            "extent of metastases",
            "a statement of the tumour board (MDT), an M category, or counts of organs and lesions",
        ),
    ),
    _Together(
        ("chemosensitivity", "prior-chemo-lines", "chemo-pd-lines", "last-chemo-response"),
        Need(
            "chemotherapy history",
            "the earlier lines with the response to the last, or a statement on chemosensitivity",
        ),
    ),
    _Together(
        ("recist-trend", "vdt-days"),
        Need(
            "growth of the tumour",
            "a comparison of two images, and two measurements of the tumour with dates",
        ),
    ),
    _Together(
        (
            "bleeding-disorder",
            "active-infection",
            "resistant-histology",
            "cachexia",
            "haemoptysis",
            "hepatorenal",
            "high-risk-varices",
            "airway-compression",
        ),
        Need("coded problem list", "entries with codes, to look for {facts}"),
        alone=True,
        listed=True,
    ),
    _Together(
        ("gi-bleed-perforation", "critical-limb-ischaemia", "hit", "oesophageal-fistula"),
        Need("problem list coded in ICD-10-CM", "entries with codes, to look for {facts}"),
        alone=True,
        listed=True,
    ),
    _Together(
        ("ascites-points", "enceph-points"),
        Need(
            "grades of ascites and encephalopathy",
            "a clinician's statement on each",
            several=True,
        ),
    ),
)

_ALONE = {
    "contrast-allergy": Need("allergy entry", OBTAIN["contrast-allergy"]),
    "age-years": Need("full birth date", "the day of birth in the patient's data"),
    "sex": Need("recorded sex", "the sex in the patient's data"),
    "weight-loss-6m-pct": Need("earlier weight", OBTAIN["weight-loss-6m-pct"]),
    "platelets": Need("platelets", OBTAIN["platelets"], several=True),
    "anc": Need("neutrophils", OBTAIN["anc"], several=True),
    "prior-chemo-lines": Need(
        "earlier lines of chemotherapy", OBTAIN["prior-chemo-lines"], several=True
    ),
}
"""Facts whose name does not read well as something that is missing."""


def needs(keys: Iterable[str]) -> tuple[Need, ...]:
    """Return what has to be obtained for the missing facts, each need once, in their order.

    Args:
        keys: of the data dictionary, those of several criteria after one another.
    """
    missing = list(dict.fromkeys(keys))
    return tuple(dict.fromkeys(_need(key, missing) for key in missing))


def named(found: Iterable[Need], *, at_most: int) -> str:
    """Return `INR is missing`, `platelets and INR are missing` or `5 facts are missing`."""
    lines = list(found)
    if len(lines) > at_most:
        return f"{len(lines)} facts are missing"
    several = len(lines) > 1 or any(need.several for need in lines)
    return f"{join([need.name for need in lines])} {'are' if several else 'is'} missing"


def _need(key: str, missing: list[str]) -> Need:
    for group in _TOGETHER:
        members = [each for each in group.keys if each in missing]
        if key in members and (len(members) > 1 or group.alone):
            if not group.listed:
                return group.need
            facts = join([concept_inside(each) for each in members])
            return replace(group.need, how=group.need.how.format(facts=facts))
    return _ALONE.get(key) or Need(concept_inside(key), OBTAIN.get(key, ""))
