"""Compare what an engine answers about a case with what was worked out by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.cases.case import Case

LISTS = ("failed", "unknown", "cautions", "not_assessable")
PREFIX_OF_STATUS = {
    "eligible": "in-",
    "indeterminate": "undecided-",
    "ineligible": "out-",
    "not-applicable": "out-",
}


@dataclass(frozen=True)
class Answers:
    """What an engine says about one patient.

    Args:
        truths: criterion -> TRUE, FALSE or None for UNKNOWN, in the protocol's order.
        status: of the protocol.
        lists: failed, unknown, cautions and not_assessable ids.
    """

    truths: Mapping[str, bool | None]
    status: str
    lists: Mapping[str, Sequence[str]]


def expected(case: Case) -> Answers:
    """Return the answers of a case.toml; the lists it leaves out follow from its truths.

    Args:
        case: one whose bases hold a truth for every criterion of the protocol.
    """
    derived = by_rule_e02(case.truths)
    lists = {name: case.table.get(name, derived.lists[name]) for name in LISTS}
    return Answers(case.truths, case.table["status"], lists)


def by_rule_e02(truths: Mapping[str, bool | None]) -> Answers:
    """Return the status and the lists that rule E-02 gives for these truths.

    Args:
        truths: in the protocol's order, the anchor criterion first.
    """
    anchor = next(iter(truths))
    blocking = {name: truth for name, truth in truths.items() if _letter(name) != "K"}
    cautions = {name: truth for name, truth in truths.items() if _letter(name) == "K"}
    failed = [name for name, truth in blocking.items() if truth is (_letter(name) == "X")]
    unknown = [name for name, truth in blocking.items() if truth is None]
    if truths[anchor] is False:
        status = "not-applicable"
    elif failed:
        status = "ineligible"
    else:
        status = "indeterminate" if unknown else "eligible"
    lists = {
        "failed": failed,
        "unknown": unknown,
        "cautions": [name for name, truth in cautions.items() if truth is True],
        "not_assessable": [name for name, truth in cautions.items() if truth is None],
    }
    return Answers(truths, status, lists)


def differences(case: Case, found: Answers) -> list[str]:
    """Return a line for everything in which an engine differs from the case; empty is good."""
    wanted = expected(case)
    lines = [
        f"{name}: expected {_word(truth)}, found {_word(found.truths.get(name))}"
        for name, truth in wanted.truths.items()
        if name not in found.truths or found.truths[name] is not truth
    ]
    if found.status != wanted.status:
        lines.append(f"status: expected {wanted.status}, found {found.status}")
    lines += [
        f"{name}: expected {list(wanted.lists[name])}, found {list(found.lists[name])}"
        for name in LISTS
        if list(found.lists[name]) != list(wanted.lists[name])
    ]
    if list(found.truths) != list(wanted.truths):
        lines.append(f"criteria: expected {list(wanted.truths)}, found {list(found.truths)}")
    return lines


def missing_grounds(case: Case, criteria: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a line for every missing fact, note or piece of evidence that a case wants shown.

    Args:
        case: may hold [missing], [notes] and [[evidence]].
        criteria: id -> the criterion in the JSON of `evaluate`.
    """
    lines = [
        f"{name}: {key} is not named as missing, only {criteria[name]['missing']}"
        for name, keys in case.table.get("missing", {}).items()
        for key in keys
        if key not in criteria[name]["missing"]
    ]
    for name, word in case.table.get("notes", {}).items():
        notes = criteria[name]["notes"]
        if not any(word.lower() in note.lower() for note in notes):
            lines.append(f"{name}: no note with '{word}' among {notes}")
    for row in case.table.get("evidence", []):
        wanted = {name: value for name, value in row.items() if name != "criterion"}
        rows = criteria[row["criterion"]]["evidence"]
        if not any(wanted.items() <= each.items() for each in rows):
            lines.append(f"{row['criterion']}: no evidence {wanted} among {rows}")
    return lines


def _letter(criterion: str) -> str:
    """Return I or C for an inclusion, X for an absolute contraindication, K for a caution."""
    first, _, second = criterion.partition("-")
    return (first if len(first) == 1 else second)[0]


def _word(truth: bool | None) -> str:
    return "unknown" if truth is None else str(truth).lower()
