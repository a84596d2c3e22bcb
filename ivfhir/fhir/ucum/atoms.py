"""The units of UCUM and the prefixes that metric ones take, from its own table."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from xml.etree import ElementTree

BASE = "base-unit"


@dataclass(frozen=True, slots=True)
class Table:
    """What a unit may be written of.

    Attributes:
        atoms: symbols of units, each with whether it takes a prefix.
        prefixes: such as `m` and `da`.
    """

    atoms: dict[str, bool]
    prefixes: frozenset[str]

    def is_unit(self, symbol: str) -> bool:
        """Return whether a symbol is a unit, with or without a prefix."""
        if symbol in self.atoms:
            return True
        return any(
            symbol[:length] in self.prefixes and self.atoms.get(symbol[length:], False)
            for length in (1, 2)
        )


@cache
def table() -> Table:
    """Return UCUM's table."""
    text = resources.files(__package__).joinpath("ucum-essence.xml").read_bytes()
    root = ElementTree.fromstring(text)  # noqa: S314 - our own file
    atoms, prefixes = dict[str, bool](), set[str]()
    for each in root:
        code = each.get("Code", "")
        if each.tag.endswith("prefix"):
            prefixes.add(code)
        else:
            atoms[code] = each.tag.endswith(BASE) or each.get("isMetric") == "yes"
    return Table(atoms, frozenset(prefixes))


USUAL = ("G", "M", "k", "h", "d", "c", "m", "u", "n", "p", "f")
"""The prefixes that somebody who mistook the case can have meant."""


@cache
def every_symbol() -> dict[str, tuple[str, ...]]:
    """Return the symbols of all units, with each usual prefix, by how they are written small."""
    known = table()
    found: dict[str, list[str]] = {}
    for atom, metric in known.atoms.items():
        for symbol in (atom, *(prefix + atom for prefix in USUAL if metric)):
            found.setdefault(symbol.lower(), []).append(symbol)
    return {small: tuple(symbols) for small, symbols in found.items()}
