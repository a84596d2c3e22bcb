"""A small part of UCUM (https://ucum.org/ucum): products and quotients of common units, exactly.

Not here: units with an offset or a logarithm (Cel, [degF], [pH], dB), and arbitrary units such as
[IU] against anything but themselves. What is not known is not converted. Calendar months and years
are a dimension of their own: they are no fixed number of days.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_PREFIXES = {
    "T": 12,
    "G": 9,
    "M": 6,
    "k": 3,
    "h": 2,
    "da": 1,
    "d": -1,
    "c": -2,
    "m": -3,
    "u": -6,
    "n": -9,
    "p": -12,
    "f": -15,
}
_AVOGADRO = Fraction(10) ** 23 * Fraction("6.0221367")
_METRIC: dict[str, tuple[Fraction, dict[str, int]]] = {
    "m": (Fraction(1), {"m": 1}),
    "g": (Fraction(1), {"g": 1}),
    "s": (Fraction(1), {"s": 1}),
    "L": (Fraction(1, 1000), {"m": 3}),
    "l": (Fraction(1, 1000), {"m": 3}),
    "mol": (_AVOGADRO, {}),
    "eq": (_AVOGADRO, {}),
    "Pa": (Fraction(1000), {"g": 1, "m": -1, "s": -2}),
    "bar": (Fraction(10) ** 8, {"g": 1, "m": -1, "s": -2}),
    "m[Hg]": (Fraction(133322) * 1000, {"g": 1, "m": -1, "s": -2}),
    "J": (Fraction(1000), {"g": 1, "m": 2, "s": -2}),
    "W": (Fraction(1000), {"g": 1, "m": 2, "s": -3}),
    "Gy": (Fraction(1), {"m": 2, "s": -2}),
    "Sv": (Fraction(1), {"m": 2, "s": -2}),
    "Bq": (Fraction(1), {"s": -1}),
    "Ci": (Fraction(37) * 10**9, {"s": -1}),
    "Hz": (Fraction(1), {"s": -1}),
    "U": (_AVOGADRO / 60 / 10**6, {"s": -1}),
    "kat": (_AVOGADRO, {"s": -1}),
    "[iU]": (Fraction(1), {"[iU]": 1}),
    "[IU]": (Fraction(1), {"[iU]": 1}),
}
_PLAIN: dict[str, tuple[Fraction, dict[str, int]]] = {
    "1": (Fraction(1), {}),
    "%": (Fraction(1, 100), {}),
    "[ppth]": (Fraction(1, 1000), {}),
    "[ppm]": (Fraction(1, 10**6), {}),
    "min": (Fraction(60), {"s": 1}),
    "h": (Fraction(3600), {"s": 1}),
    "d": (Fraction(86400), {"s": 1}),
    "wk": (Fraction(604800), {"s": 1}),
    "month": (Fraction(1), {"month": 1}),
    "year": (Fraction(12), {"month": 1}),
    "mo": (Fraction(2629800), {"s": 1}),
    "a": (Fraction(31557600), {"s": 1}),
    "[in_i]": (Fraction("0.0254"), {"m": 1}),
    "[ft_i]": (Fraction("0.3048"), {"m": 1}),
    "[lb_av]": (Fraction("453.59237"), {"g": 1}),
    "[oz_av]": (Fraction("28.349523125"), {"g": 1}),
    "t": (Fraction(10) ** 6, {"g": 1}),
}
_COMPONENT = re.compile(r"10[*^]([+-]?\d+)|(\d+)|([A-Za-z%\[\]_']+?)([+-]?\d+)?")
_ANNOTATION = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a factor times base units.

    Args:
        factor: how many base units it is.
        dimensions: base unit and exponent, sorted, no zero exponent.
    """

    factor: Fraction
    dimensions: tuple[tuple[str, int], ...]


@lru_cache(maxsize=1024)
def parse_unit(code: str) -> Unit | None:
    """Return the unit of a UCUM code, None when it is not one of those known here."""
    text = _ANNOTATION.sub("", code).strip() or "1"
    factor, dimensions = Fraction(1), dict[str, int]()
    sign = 1
    for term in re.split(r"([./])", text):
        if term in (".", "/"):
            sign = -1 if term == "/" else 1
            continue
        part = component(term or "1")
        if part is None:
            return None
        factor *= part[0] ** sign
        for base, exponent in part[1].items():
            dimensions[base] = dimensions.get(base, 0) + sign * exponent
    return Unit(factor, tuple(sorted((b, e) for b, e in dimensions.items() if e)))


def component(token: str) -> tuple[Fraction, dict[str, int]] | None:
    """Return factor and dimensions of one term.

    A power of ten, a number, or a unit with its exponent.
    """
    match = _COMPONENT.fullmatch(token)
    if match is None:
        return None
    power, number, symbol, exponent = match.groups()
    if power is not None:
        return Fraction(10) ** int(power), {}
    if number is not None:
        return (Fraction(int(number)), {}) if int(number) else None  # nothing is measured in zeros
    atom = find_atom(symbol)
    if atom is None:
        return None
    n = int(exponent or 1)
    return atom[0] ** n, {base: e * n for base, e in atom[1].items()}


def find_atom(symbol: str) -> tuple[Fraction, dict[str, int]] | None:
    """Return factor and dimensions of a unit symbol, with or without a metric prefix."""
    atom = _PLAIN.get(symbol) or _METRIC.get(symbol)
    if atom is not None:
        return atom
    for length in (2, 1):
        atom = _METRIC.get(symbol[length:])
        if symbol[:length] in _PREFIXES and atom is not None:
            return Fraction(10) ** _PREFIXES[symbol[:length]] * atom[0], atom[1]
    return None
