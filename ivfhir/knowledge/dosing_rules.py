"""What keeps a drug from a patient, and what a dose may rest on: `shared/dosing.toml`, checked.

The file says what each of its keys means. A part that cannot be used is refused when it is read,
never passed over: a rule that is lost would let a drug through.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ivfhir.errors import KnowledgeError
from ivfhir.knowledge.package import our_shared_folder, shared_folder

FILE = "dosing.toml"
FACTS = "IOFacts"
"""The library whose defines tell an input, and for how many days each counts."""

CLEARANCE = "clearance_ml_min"
"""The only fact that is no input: it is computed from four of them (CALC-03)."""

OVER_A_LIFE: Final = "cumulative-dose"
"""The statement of the dose over a life, which belongs to no rule."""

NUMBER, FLAG, WORD = "number", "flag", "word"
BELOW, AT_MOST, ABOVE, AT_LEAST = "below", "at_most", "above", "at_least"
LIMITS = (BELOW, AT_MOST, ABOVE, AT_LEAST)
_ASKED: Final = {
    **dict.fromkeys(("age_years", "height_cm", "weight_kg"), NUMBER),
    **dict.fromkeys(("creatinine_mg_dl", "bilirubin_mg_dl", "neutrophils_10e9_l"), NUMBER),
    **dict.fromkeys(("platinum_allergy", "squamous", "hit", "varices"), FLAG),
    **dict.fromkeys(("pregnant", "cardiotoxic_treatment"), FLAG),
    "sex": WORD,
}
"""Inputs that calculations and the reading of a record ask by name -> their kind."""


@dataclass(frozen=True)
class Known:
    """What may be given of a patient, and for how long it counts.

    Attributes:
        words: what a sentence calls it.
        kind: number, flag or word.
        fact: the define of the shared facts that tells it; '' where none does by itself.
        window_days: how old it may be, both days included; None for any age.
    """

    words: str
    kind: str
    fact: str = ""
    window_days: int | None = None


@dataclass(frozen=True)
class Condition:
    """A condition that excludes.

    Attributes:
        fact: the input that it asks, or the clearance; '' where only a clinician can say it.
        mark: where it comes from.
        compared: below, at_most, above or at_least; '' where the fact is no number.
        limit: what a number is compared with.
        allowed: the words that do not exclude, where the fact is a word.
        words: what excludes, in words, where the fact is a word.
        confirm: the statement that stands in where the fact is not known; '' for none.
    """

    fact: str
    mark: str
    compared: str = ""
    limit: Decimal = Decimal(0)
    allowed: tuple[str, ...] = ()
    words: str = ""
    confirm: str = ""


@dataclass(frozen=True)
class Reduction:
    """A share of the dose that is left while a number lies between two ends, both included."""

    fact: str
    low: Decimal
    high: Decimal
    share: Decimal
    mark: str


@dataclass(frozen=True)
class DosingRules:
    """The file, read.

    Attributes:
        inputs: name -> what it is.
        statements: id, as `confirmed` takes it -> what it says.
        rules: id of a rule -> what excludes.
        reductions: id of a rule -> by what it reduces the dose.
    """

    inputs: Mapping[str, Known]
    statements: Mapping[str, str]
    rules: Mapping[str, tuple[Condition, ...]]
    reductions: Mapping[str, Reduction]


def dosing_rules(folder: Path | None = None) -> DosingRules:
    """Return the rules; they are read once a process.

    Args:
        folder: what protocols share; by default beside them where the file is there, else ours.

    Raises:
        KnowledgeError: the file is missing, or a part of it cannot be used.
    """
    if folder is None:
        beside = shared_folder()
        folder = beside if (beside / FILE).is_file() else our_shared_folder()
    return _read(folder / FILE)


@lru_cache
def _read(path: Path) -> DosingRules:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KnowledgeError(f"{FILE} cannot be read: {error}; mend it.") from None
    return rules_of(found)


def rules_of(found: Mapping[str, Any]) -> DosingRules:
    """Return the rules that a table says.

    Raises:
        KnowledgeError: a part of it cannot be used; the sentence names it.
    """
    _only(found, {"input", "statement", "rule", "reduction"}, "the file")
    inputs = {name: _input(name, each) for name, each in _table(found, "input").items()}
    for name, kind in _ASKED.items():
        if name not in inputs or inputs[name].kind != kind:
            raise _wrong(f"input {name}", f"a {kind} of this name is needed")
    statements = _table(found, "statement")
    if OVER_A_LIFE not in statements or not all(_is_text(each) for each in statements.values()):
        raise _wrong("statement", f"each is a text, and {OVER_A_LIFE} is needed")
    rules = {}
    for rule, conditions in _table(found, "rule").items():
        if not isinstance(conditions, list) or not conditions:
            raise _wrong(f"rule {rule}", "it needs conditions")
        rules[rule] = tuple(_condition(rule, each, inputs, statements) for each in conditions)
    reductions = {
        rule: _reduction(rule, each, inputs, rules)
        for rule, each in _table(found, "reduction").items()
    }
    return DosingRules(inputs, statements, rules, reductions)


def windows_of(elm: Any) -> dict[str, int]:  # noqa: ANN401 - any JSON value
    """Return define -> days for which its result counts, as a library calls `WindowOf`."""
    if isinstance(elm, list):
        return {name: days for each in elm for name, days in windows_of(each).items()}
    if not isinstance(elm, dict):
        return {}
    if elm.get("type") == "FunctionRef" and elm.get("name") == "WindowOf":
        fact, window = elm["operand"]
        return {fact["name"]: int(window["value"])}
    return windows_of(list(elm.values()))


def _input(name: str, table: Any) -> Known:  # noqa: ANN401 - a value of the file
    where = f"input {name}"
    _only(table, {"called", "kind", "fact", "window_days"}, where)
    window = table.get("window_days")
    if not _is_text(table.get("called")) or not _is_text(table.get("fact", "none")):
        raise _wrong(where, "called and fact are texts; called is needed")
    if table.get("kind") not in (NUMBER, FLAG, WORD):
        raise _wrong(where, "kind is number, flag or word")
    if window is not None and (type(window) is not int or window < 1):
        raise _wrong(where, "window_days is a whole number of days from 1")
    return Known(table["called"], table["kind"], table.get("fact", ""), window)


def _condition(
    rule: str,
    table: Any,  # noqa: ANN401 - a value of the file
    inputs: Mapping[str, Known],
    statements: Collection[str],
) -> Condition:
    where = f"rule {rule}"
    _only(table, {"fact", *LIMITS, "unless", "called", "confirm", "mark"}, where)
    fact, confirm = table.get("fact", ""), table.get("confirm", "")
    if not _is_text(table.get("mark")):
        raise _wrong(where, "each condition needs a mark")
    if fact not in (*inputs, CLEARANCE, ""):
        raise _wrong(where, f"there is no input {fact}")
    if confirm not in (*statements, "") or not (fact or confirm):
        raise _wrong(where, f"a condition needs a fact, or a statement that is here ('{confirm}')")
    limits = [name for name in LIMITS if name in table]
    kind = NUMBER if fact == CLEARANCE else inputs[fact].kind if fact else ""
    if len(limits) != (kind == NUMBER):
        raise _wrong(where, f"a number, and it alone, has one of {', '.join(LIMITS)} ({fact})")
    unless, words = table.get("unless", []), table.get("called", "")
    if (kind == WORD) != (bool(unless) and _is_text(words)) or not isinstance(unless, list):
        raise _wrong(where, f"a word, and it alone, has unless and called ({fact})")
    return Condition(
        fact=fact,
        mark=table["mark"],
        compared=limits[0] if limits else "",
        limit=_number(table[limits[0]], where) if limits else Decimal(0),
        allowed=tuple(unless),
        words=words,
        confirm=confirm,
    )


def _reduction(
    rule: str,
    table: Any,  # noqa: ANN401 - a value of the file
    inputs: Mapping[str, Known],
    rules: Collection[str],
) -> Reduction:
    where = f"reduction {rule}"
    keys = {"fact", "from", "to", "share", "mark"}
    _only(table, keys, where)
    if set(table) != keys or not _is_text(table["mark"]):
        raise _wrong(where, f"it needs {', '.join(sorted(keys))}")
    fact = table["fact"]
    if rule not in rules or fact not in inputs or inputs[fact].kind != NUMBER:
        raise _wrong(where, "it belongs to a rule, and asks an input that is a number")
    low, high, share = (_number(table[name], where) for name in ("from", "to", "share"))
    if not low <= high or not 0 < share < 1:
        raise _wrong(where, "from is at most to, and share lies between 0 and 1")
    return Reduction(fact, low, high, share, table["mark"])


def _table(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = found.get(name)
    if not isinstance(table, dict):
        raise _wrong(name, "it is needed, as a table")
    return table


def _only(table: Any, keys: Collection[str], where: str) -> None:  # noqa: ANN401 - see above
    if not isinstance(table, dict):
        raise _wrong(where, "it must be a table")
    unknown = sorted(set(table) - set(keys))
    if unknown:
        raise _wrong(where, f"{', '.join(unknown)} means nothing here")


def _number(value: Any, where: str) -> Decimal:  # noqa: ANN401 - see above
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong(where, f"'{value}' is no number")
    number = Decimal(value)
    if not number.is_finite():
        raise _wrong(where, f"'{value}' is no number")
    return number


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _wrong(where: str, what: str) -> KnowledgeError:
    return KnowledgeError(f"{FILE}, {where}: {what}; mend it.")
