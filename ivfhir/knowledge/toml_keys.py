"""Which keys a table has that people write, and of what kind their values are.

A kind that ends in `!` is a key that must be there.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from ivfhir.knowledge.toml_source import Table


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _all(value: object, kind: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(kind, value))


def _amount(value: object) -> bool:
    """Whether it is a number above 0, exactly as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return Decimal(value).is_finite() and value > 0


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
