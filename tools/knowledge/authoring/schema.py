"""Which keys protocol.toml and plan.toml have, and of what kind their values are.

A kind that ends in `!` is a key that must be there.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from tools.knowledge.authoring.toml_source import Table

PROTOCOL = {
    **dict.fromkeys(("id", "version", "title", "short_title", "focus", "purpose"), "text!"),
    "date": "date!",
    "called": "text",
    "always_said": "table!",
    "evidence": "table!",
    "activity": "table!",
    **dict.fromkeys(("parameter", "texts", "gates", "stops", "exits", "rules"), "table"),
    **dict.fromkeys(("readings", "seeds", "statements", "sources"), "table"),
    "goal": "tables",
}
EVIDENCE = {"quality": "text!", "recommendation": "text!"}
CHOICE = {
    "label": "text!",
    **dict.fromkeys(("called", "hint", "setting"), "text"),
    "options": "table!",
    "in_sight": "flag",
}
WORDS = {"label": "text!", "words": "flag!", "setting": "text"}
PARAMETER = {
    "label": "text!",
    **dict.fromkeys(("called", "hint", "unit", "setting", "setting_when_zero"), "text"),
    "default": "number!",
    **dict.fromkeys(("choices", "between"), "numbers"),
    **dict.fromkeys(("fixed", "in_sight"), "flag"),
}
TEXT = {"text": "text!", "when_zero": "text", "in_general": "text"}
GATE = {"text": "text!", "asked": "text"}
GOAL = {
    **dict.fromkeys(("id", "text", "measure"), "text!"),
    **dict.fromkeys(("category", "wanted", "unit"), "text"),
    **dict.fromkeys(("at_least", "at_most"), "number"),
    "sources": "texts",
}
SEED = dict.fromkeys(("cites", "named", "file"), "text!")
SOURCE = {"cites": "text!", "here": "text", "url": "text"}
ACTIVITY = {
    **dict.fromkeys(("title", "description", "lane"), "text!"),
    **dict.fromkeys(("kind", "coded", "in_words", "product", "route", "dosage"), "text"),
    **dict.fromkeys(("in_general", "who", "body_site", "order"), "text"),
    "sources": "texts!",
    "tells": "tables",
}
TELLS = {"says": "text!", "from": "text!", "in_general": "text"}
PLAN = {
    "sources": "texts!",
    "rounds": "table",
    "part": "tables!",
    "action": "tables!",
    "defines": "table",
}
ROUNDS = {
    **dict.fromkeys(("word", "part"), "text!"),
    **dict.fromkeys(("count", "interval"), "text or table!"),
    **dict.fromkeys(("by", "first"), "text"),
}
PART = {
    **dict.fromkeys(("id", "title", "description"), "text!"),
    **dict.fromkeys(("in_general", "quality", "recommendation"), "text"),
    **dict.fromkeys(("stops", "says"), "texts"),
    "sources": "texts!",
}
ROUND = {**{key: kind for key, kind in PART.items() if key != "id"}, "numbers": "numbers!"}
ACTION = {
    **dict.fromkeys(("id", "title", "description"), "text!"),
    **dict.fromkeys(("activity", "part", "short_title", "description_first"), "text"),
    **dict.fromkeys(("in_general", "from", "not_before", "required", "stands_for"), "text"),
    **dict.fromkeys(("lane", "mark"), "text"),
    "days": "days!",
    "regimen_days": "numbers",
    "times": "number",
    "every": "number or text",
    **dict.fromkeys(("only_if", "only_if_says", "quality", "recommendation"), "text"),
    "regimen": "text",
    **dict.fromkeys(("relations", "gates", "answers", "says", "goals", "sources"), "texts"),
    **dict.fromkeys(("on_board", "bar", "opens"), "flag"),
}


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _all(value: object, kind: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(kind, value))


def _amount(value: object) -> bool:
    """Whether it is a number above 0, exactly as it was written."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0


def _amounts(value: object) -> bool:
    """Whether it is [lowest, highest]."""
    return (
        _all(value, _amount)
        and isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - two ends
        and value == sorted(value)
    )


def _day(value: object) -> bool:
    return _number(value) or isinstance(value, str)


def _days(value: object) -> bool:
    """Whether it is a list of earliest, planned and latest day, or several such lists."""
    if isinstance(value, list) and value and all(isinstance(each, list) for each in value):
        return all(map(_days, value))
    return _all(value, _day) and isinstance(value, list) and len(value) == 3  # noqa: PLR2004


KINDS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "text": ("a text in quotes", lambda value: isinstance(value, str) and bool(value.strip())),
    "number": ("a whole number", _number),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
    "date": ("a date such as 2026-11-28", lambda value: isinstance(value, date)),
    "texts": ("a list of texts", lambda value: _all(value, lambda each: isinstance(each, str))),
    "numbers": ("a list of whole numbers", lambda value: _all(value, _number)),
    "numbers or all": (
        'a list of whole numbers, or "all"',
        lambda value: value == "all" or _all(value, _number),
    ),
    "days": ("[earliest, planned, latest] in days, or several such lists", _days),
    "number or text": ("a whole number, or a parameter's name", _day),
    "text or table": (
        "a parameter's name, or a table of such names",
        lambda value: isinstance(value, str | dict) and bool(value),
    ),
    "amount": ("a number above 0", _amount),
    "amounts": ("[lowest, highest], two numbers above 0", _amounts),
    "dose": ("a number above 0, or [lowest, highest]", lambda v: _amount(v) or _amounts(v)),
    "list of amounts": ("a list of numbers above 0", lambda value: _all(value, _amount)),
    "table": ("a table", lambda value: isinstance(value, dict)),
    "tables": ("tables in [[double brackets]]", lambda v: _all(v, lambda e: isinstance(e, dict))),
}


def check_keys(table: Table, kinds: Mapping[str, str], what: str) -> None:
    """Refuse a key that is unknown, missing, or holds something else than it should.

    Args:
        table: the table.
        kinds: key -> kind, as above.
        what: what the table is, for the message: `action A02`.
    """
    for key, value in table.data.items():
        if key not in kinds:
            table.refuse(f"{what} has no key '{key}'; {known(key, kinds)}", key)
        words, fits = KINDS[kinds[key].rstrip("!")]
        allow_empty = key == "in_general" and value == ""
        if not fits(value) and not allow_empty:
            table.refuse(f"{key} of {what} must be {words}", key)
    for key, kind in kinds.items():
        if kind.endswith("!") and key not in table:
            table.refuse(f"{what} has no '{key}'; add {KINDS[kind[:-1]][0]}")


def known(name: str, names: Iterable[str]) -> str:
    """Return which names there are, and the one that was probably meant."""
    names = list(names)
    near = difflib.get_close_matches(name, names, n=1)
    meant = f"did you mean '{near[0]}'? " if near else ""
    return f"{meant}There is: {', '.join(names) or 'none'}"
