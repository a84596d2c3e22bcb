"""A TOML file that knows on which line each of its keys stands."""

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

Key = str | int
Where = tuple[Key, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_ENTRY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"))*)\s*=")
_NAME = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")
_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*")


class AuthoringError(ValueError):
    """A row cannot be built; the message is `file:line: what is wrong; what to do`."""


@dataclass(frozen=True)
class Table:
    """One table of a file, and where it stands.

    Attributes:
        name: the file, as messages show it.
        where: the keys that lead to the table.
        data: its content.
        lines: place of every table and key -> its line.
    """

    name: str
    where: Where
    data: dict[str, Any]
    lines: dict[Where, int]

    def __contains__(self, key: str) -> bool:
        """Whether the table has the key."""
        return key in self.data

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - TOML; the schema has checked its type
        """Return the value of a key that is there."""
        return self.data[key]

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as __getitem__
        """Return the value of a key, the default where it is absent."""
        return self.data.get(key, default)

    def table(self, key: str) -> "Table":
        """Return the table below a key, an empty one where it is absent."""
        return Table(self.name, (*self.where, key), self.data.get(key, {}), self.lines)

    def tables(self, key: str) -> list["Table"]:
        """Return the tables of a list, `[[key]]`, in order."""
        items: list[dict[str, Any]] = self.data.get(key, [])
        return [
            Table(self.name, (*self.where, key, number), item, self.lines)
            for number, item in enumerate(items)
        ]

    def named(self, key: str) -> dict[str, "Table"]:
        """Return the tables below `[key.NAME]` by name, in order."""
        below = self.table(key)
        return {name: below.table(name) for name in below.data}

    def refuse(self, sentence: str, key: str | None = None) -> NoReturn:
        """Raise an AuthoringError at a key of this table, or at the table itself."""
        place = self.where if key is None else (*self.where, key)
        while place and place not in self.lines:
            place = place[:-1]
        raise AuthoringError(f"{self.name}:{self.lines.get(place, 1)}: {sentence}")


def read_table(path: Path, name: str) -> Table:
    """Return a file's outermost table; a number with a point is a Decimal.

    Args:
        path: the file.
        name: what messages call it.

    Raises:
        AuthoringError: it is missing, or it is not TOML; tomllib's words say where.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return Table(name, (), tomllib.loads(text, parse_float=Decimal), _lines(text))
    except FileNotFoundError:
        raise AuthoringError(
            f"{name}:1: it is missing; `ivfhir protocols new` writes one to begin with"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"at line (\d+)", str(error))
        raise AuthoringError(f"{name}:{line[1] if line else 1}: it is not TOML: {error}") from error


def _lines(text: str) -> dict[Where, int]:
    """Return the line of every table and key: what tomllib does not tell."""
    found: dict[Where, int] = {}
    counts: dict[Where, int] = {}
    table: Where = ()
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        header, entry = _HEADER.match(line), _ENTRY.match(line)
        if depth == 0 and header:
            table = _table(header[2], counts, is_list=header[1] == "[[")
            found[table] = number
        elif depth == 0 and entry:
            found[(*table, *_names(entry[1]))] = number
        if not (depth == 0 and header):
            bare = _STRING.sub("", line)
            depth += sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))
    return found


def _table(header: str, counts: dict[Where, int], *, is_list: bool) -> Where:
    """Return the place of a header's table; lists above it stand at their last item."""
    place: Where = ()
    *above, last = _names(header)
    for name in above:
        place = (*place, name)
        if place in counts:
            place = (*place, counts[place])
    place = (*place, last)
    if is_list:
        counts[place] = counts.get(place, -1) + 1
        place = (*place, counts[place])
    return place


def _names(dotted: str) -> list[str]:
    return ["".join(groups) for groups in _NAME.findall(dotted)]
