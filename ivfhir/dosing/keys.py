"""The `key=value` words of a calculation: each key carries its unit, each value is read exactly."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from ivfhir.errors import ParameterError
from ivfhir.fhir.types import Json

_NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{1,12})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FLAGS = {"yes": True, "no": False, "true": True, "false": False}

NUMBER, NUMBERS, WORD, WORDS, FLAG, FLAGS, DAY = (
    *("number", "numbers", "word", "words", "flag", "flags", "day"),
)


@dataclass(frozen=True)
class Unit:
    """Another unit that a key may carry: the value times `factor`, through `divisor` (E-07).

    Attributes:
        suffix: the end of the key, such as `umol_l`.
        code: its UCUM code.
        factor: what the value is multiplied by first.
        divisor: what it is divided by then.
    """

    suffix: str
    code: str
    factor: Decimal = Decimal(1)
    divisor: Decimal = Decimal(1)


@dataclass(frozen=True)
class Key:
    """One input of a calculation.

    Attributes:
        stem: what it is, without its unit: `height`.
        about: what it is, in words.
        suffix: how the key carries its unit: `cm`; '' where it has none.
        unit: UCUM code; '' where it has none.
        kind: what its value must be.
        words: what may stand there, where it is a word.
        required: whether it must be given.
        others: other units that it may be given in.
        missing: what stands in a list for a number that there is not; '' where none may.
    """

    stem: str
    about: str
    suffix: str = ""
    unit: str = ""
    kind: str = NUMBER
    words: tuple[str, ...] = ()
    required: bool = True
    others: tuple[Unit, ...] = ()
    missing: str = ""

    @property
    def name(self) -> str:
        """The key; it is also the parameter of the function."""
        return f"{self.stem}_{self.suffix}" if self.suffix else self.stem

    def spellings(self) -> dict[str, Unit]:
        """Return each key that gives this input -> the unit that it carries."""
        own = {self.name: Unit(self.suffix, self.unit)}
        return own | {f"{self.stem}_{each.suffix}": each for each in self.others}


@dataclass(frozen=True)
class Given:
    """The inputs of a calculation.

    Attributes:
        values: name of each key -> its value in the key's own unit.
        shown: key as it was written -> value and unit as they were written.
    """

    values: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, dict[str, Json]] = field(default_factory=dict)


def read_words(words: Sequence[str]) -> dict[str, str]:
    """Return the pairs that `key=value` words give.

    Raises:
        ParameterError: a word is no pair, or a key is there twice.
    """
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or not value.strip():
            raise ParameterError(f"'{word}' is no input; write key=value, such as height_cm=170.")
        if key in pairs:
            raise ParameterError(f"{key} is given twice; give it once.")
        pairs[key] = value.strip()
    return pairs


def read_inputs(name: str, keys: Sequence[Key], pairs: Mapping[str, str]) -> Given:
    """Return what the pairs give, typed and in the units of the keys.

    Args:
        name: the calculation's, for messages.
        keys: the inputs that it takes.
        pairs: key -> text.

    Raises:
        ParameterError: a key is unknown, has no unit, is missing or given in two units, or its
            value is not of its kind.
    """
    spellings = {
        spelling: (key, unit) for key in keys for spelling, unit in key.spellings().items()
    }
    given = Given()
    for spelling, text in pairs.items():
        if spelling not in spellings:
            raise ParameterError(_unknown(name, keys, spelling))
        key, unit = spellings[spelling]
        if key.name in given.values:
            raise ParameterError(f"{spelling} is given in another unit too; give it once.")
        value = _value(spelling, key, text)
        given.values[key.name] = _converted(value, unit)
        given.shown[spelling] = {"value": _shown(value), **_unit(key, unit)}
    lacking = [key for key in keys if key.required and key.name not in given.values]
    if lacking:
        said = ", ".join(" or ".join(key.spellings()) for key in lacking)
        raise ParameterError(
            f"{name} needs {said}; give key=value, such as {_example(lacking[0])}."
        )
    return given


def _unit(key: Key, unit: Unit) -> dict[str, str]:
    """Return the unit as an input shows it: 1 for a bare number, nothing for a word."""
    code = unit.code or ("1" if key.kind in (NUMBER, NUMBERS) else "")
    return {"unit": code} if code else {}


def _unknown(name: str, keys: Sequence[Key], spelling: str) -> str:
    for key in keys:
        if key.suffix and (spelling == key.stem or spelling.startswith(f"{key.stem}_")):
            wanted = " or ".join(key.spellings())
            return f"{spelling} does not carry a unit that is known here; write {wanted}."
    return f"{name} has no input '{spelling}'; it takes {', '.join(key.name for key in keys)}."


def _example(key: Key) -> str:
    return f"{key.name}={key.words[0] if key.words else '…'}"


def _value(spelling: str, key: Key, text: str) -> Any:  # noqa: ANN401 - by the key's kind
    if key.kind in (NUMBERS, WORDS, FLAGS):
        one = {NUMBERS: NUMBER, WORDS: WORD, FLAGS: FLAG}[key.kind]
        return [_one(spelling, key, one, part.strip()) for part in text.split(",")]
    return _one(spelling, key, key.kind, text)


def _one(spelling: str, key: Key, kind: str, text: str) -> Any:  # noqa: ANN401 - by its kind
    if key.missing and text == key.missing:
        return None
    if kind == NUMBER:
        if not _NUMBER.fullmatch(text):
            raise ParameterError(
                f"{spelling} is '{text}', which is no number; write digits with a point, such as "
                "1.5: the unit stands in the key."
            )
        return Decimal(text)
    if kind == FLAG:
        if text not in _FLAGS:
            raise ParameterError(f"{spelling} is '{text}'; write yes or no.")
        return _FLAGS[text]
    if kind == DAY:
        return _day(spelling, text)
    if key.words and text not in key.words:
        raise ParameterError(f"{spelling} is '{text}'; it must be one of {', '.join(key.words)}.")
    return text


def _day(spelling: str, text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ParameterError(f"{spelling} is '{text}', which is no day; write 2025-03-03.")


def _converted(value: Any, unit: Unit) -> Any:  # noqa: ANN401 - a number, or what is none
    if isinstance(value, Decimal) and (unit.factor != 1 or unit.divisor != 1):
        return value * unit.factor / unit.divisor
    return value


def _shown(value: Any) -> Json:  # noqa: ANN401 - by the key's kind
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
