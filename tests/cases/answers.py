"""Compare what an engine answers about a case with what was worked out by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.cases.case import Case, Truth, Truths

LISTS = ("failed", "unknown", "cautions", "not_assessable")
LISTS_OF_A_MODE = ("failed", "unknown")
PREFIX_OF_STATUS = {
    "eligible": "in-",
    "indeterminate": "undecided-",
    "ineligible": "out-",
    "not-applicable": "out-",
}
BEST_FIRST = tuple(PREFIX_OF_STATUS)

Row = tuple[str, str | None]
"""A criterion, and the mode in which it is asked so; None for all modes."""


@dataclass(frozen=True)
class Answers:
    """What an engine says about one patient.

    Args:
        truths: criterion -> TRUE, FALSE or None for UNKNOWN, in the protocol's order; where they
            differ by mode, mode -> truth.
        status: of the protocol.
        lists: failed, unknown, cautions and not_assessable ids; of a mode the first two.
        modes: id -> what it says of this mode; the truths are those of the protocol.
    """

    truths: Truths
    status: str
    lists: Mapping[str, Sequence[str]]
    modes: Mapping[str, "Answers"] = field(default_factory=dict)


def expected(case: Case) -> Answers:
    """Return the answers of a case.toml; the lists it leaves out follow from its truths.

    Args:
        case: one of a protocol, whose bases hold a truth for every criterion of the protocol.
    """
    by_rule = by_rule_e02(case.truths, anchor=case.anchor, modes=case.modes)
    modes = {
        name: _told(told, by_rule.modes.get(name, by_rule), LISTS_OF_A_MODE)
        for name, told in case.table.get("modes", {}).items()
    }
    return _told(case.table, by_rule, LISTS, {**by_rule.modes, **modes})


def by_rule_e02(truths: Truths, *, anchor: Truth, modes: Iterable[str] = ()) -> Answers:
    """Return the status and the lists that rule E-02 gives for these truths.

    With modes, the status is the best of theirs, and each list holds what they all share.

    Args:
        truths: in the protocol's order.
        anchor: whether the protocol applies.
        modes: names of its modes, where no criterion names each of them.
    """
    names = dict.fromkeys([*modes, *(mode for _, mode in rows_of(truths) if mode is not None)])
    found = {name: _of_one_mode(truths, anchor, name) for name in names}
    if not found:
        return _of_one_mode(truths, anchor)
    shared = {
        each: [name for name in truths if all(name in mode.lists[each] for mode in found.values())]
        for each in LISTS
    }
    status = min((mode.status for mode in found.values()), key=BEST_FIRST.index)
    return Answers(truths, status, shared, {name: _of_a_mode(mode) for name, mode in found.items()})


def answers_of(decision: Mapping[str, Any]) -> Answers:
    """Return what the JSON of `evaluate` says of one protocol."""
    truths = truths_of(decision["criteria"])
    lists = {
        each: decision["notAssessable" if each == "not_assessable" else each] for each in LISTS
    }
    modes = modes_of(truths, decision.get("modes", []))
    return Answers(truths, decision["status"], lists, modes)


def truths_of(rows: Iterable[Mapping[str, Any]]) -> Truths:
    """Return the truths of rows of criteria; a row may be of one mode."""
    truths: dict[str, Any] = {}
    for row in rows:
        name, mode = row["id"], row.get("mode")
        assert name not in truths or mode is not None, f"{name} has two rows"
        if mode is None:
            truths[name] = row["truth"]
        else:
            truths.setdefault(name, {})[mode] = row["truth"]
    return truths


def modes_of(truths: Truths, rows: Iterable[Mapping[str, Any]]) -> dict[str, Answers]:
    """Return what rows say of the modes of a protocol."""
    return {
        row["id"]: Answers(truths, row["status"], {each: row[each] for each in LISTS_OF_A_MODE})
        for row in rows
    }


def rows_of(truths: Truths) -> dict[Row, Truth]:
    """Return the truths row by row: one a criterion, or one for each of its modes."""
    return {
        (name, mode): truth
        for name, told in truths.items()
        for mode, truth in (told.items() if isinstance(told, Mapping) else [(None, told)])
    }


def differences(case: Case, found: Answers) -> list[str]:
    """Return a line for everything in which an engine differs from the case; empty is good."""
    wanted = expected(case)
    lines = truth_differences(wanted.truths, found.truths)
    lines += _summary_differences("", wanted, found)
    for name, mode in wanted.modes.items():
        if name in found.modes:
            lines += _summary_differences(f"{name}: ", mode, found.modes[name])
    if list(found.modes) != list(wanted.modes):
        lines.append(f"modes: expected {list(wanted.modes)}, found {list(found.modes)}")
    return lines


def truth_differences(wanted: Truths, found: Truths) -> list[str]:
    """Return a line for every truth that differs, and one if the criteria or their order do."""
    wanted_rows, found_rows = rows_of(wanted), rows_of(found)
    lines = [
        f"{_title(row)}: expected {_word(truth)}, found {_word(found_rows.get(row))}"
        for row, truth in wanted_rows.items()
        if row not in found_rows or found_rows[row] is not truth
    ]
    if list(found_rows) != list(wanted_rows):
        titles = [_title(row) for row in wanted_rows], [_title(row) for row in found_rows]
        lines.append(f"criteria: expected {titles[0]}, found {titles[1]}")
    return lines


def other_differences(case: Case, statuses: Mapping[str, str]) -> list[str]:
    """Return a line for every other protocol whose status is not that of the case.

    Args:
        case: may hold [others].
        statuses: protocol -> status; one that gave no answer is left out.
    """
    return [
        f"{name}: expected {status}, found {statuses.get(name)}"
        for name, status in case.others.items()
        if statuses.get(name) != status
    ]


def missing_grounds(case: Case, criteria: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for every missing fact, note or piece of evidence that a case wants shown.

    Args:
        case: may hold [missing], [notes] and [[evidence]]; of a criterion that differs by mode, the
            row of one mode must show it.
        criteria: those of the JSON of `evaluate`.
    """
    lines = []
    for name, keys in case.table.get("missing", {}).items():
        shown = _shown(criteria, name, "missing")
        lines += [
            f"{name}: {key} is not named as missing, only {shown}"
            for key in keys
            if key not in shown
        ]
    for name, word in case.table.get("notes", {}).items():
        notes = _shown(criteria, name, "notes")
        if not any(word.lower() in note.lower() for note in notes):
            lines.append(f"{name}: no note with '{word}' among {notes}")
    for row in case.table.get("evidence", []):
        wanted = {name: value for name, value in row.items() if name != "criterion"}
        rows = _shown(criteria, row["criterion"], "evidence")
        if not any(wanted.items() <= each.items() for each in rows):
            lines.append(f"{row['criterion']}: no evidence {wanted} among {rows}")
    return lines


def _shown(criteria: Sequence[Mapping[str, Any]], name: str, grounds: str) -> list[Any]:
    return [each for row in criteria if row["id"] == name for each in row[grounds]]


def _told(
    table: Mapping[str, Any],
    by_rule: Answers,
    lists: Sequence[str],
    modes: Mapping[str, Answers] | None = None,
) -> Answers:
    told = {name: table.get(name, by_rule.lists[name]) for name in lists}
    return Answers(by_rule.truths, table["status"], told, modes or {})


def _of_a_mode(answers: Answers) -> Answers:
    """Return the answers with those lists alone that `evaluate` shows of a mode."""
    lists = {name: answers.lists[name] for name in LISTS_OF_A_MODE}
    return Answers(answers.truths, answers.status, lists)


def _of_one_mode(truths: Truths, anchor: Truth, mode: str | None = None) -> Answers:
    """Return the answers for the criteria of all modes and of this one."""
    rows = {name: truth for (name, of), truth in rows_of(truths).items() if of in (None, mode)}
    blocking = {name: truth for name, truth in rows.items() if _letter(name) != "K"}
    cautions = {name: truth for name, truth in rows.items() if _letter(name) == "K"}
    failed = [name for name, truth in blocking.items() if truth is (_letter(name) == "X")]
    unknown = [name for name, truth in blocking.items() if truth is None]
    if anchor is False:
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


def _summary_differences(place: str, wanted: Answers, found: Answers) -> list[str]:
    lines = []
    if found.status != wanted.status:
        lines.append(f"{place}status: expected {wanted.status}, found {found.status}")
    lines += [
        f"{place}{name}: expected {list(ids)}, found {list(found.lists[name])}"
        for name, ids in wanted.lists.items()
        if list(found.lists[name]) != list(ids)
    ]
    return lines


def _letter(criterion: str) -> str:
    """Return I or C for an inclusion, X for an absolute contraindication, K for a caution."""
    first, _, second = criterion.partition("-")
    return (first if len(first) == 1 else second)[0]


def _title(row: Row) -> str:
    name, mode = row
    return name if mode is None else f"{name} in {mode}"


def _word(truth: Truth) -> str:
    return "unknown" if truth is None else str(truth).lower()
