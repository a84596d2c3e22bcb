"""Texts with values in them: as CQL, where the values are known, and in general, where not.

`over {minutes} minutes` is `'over ' & ToString(minutes) & ' minutes'` in CQL, and in general
`over 20 to 240 minutes`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ivfhir.knowledge.toml_keys import known
from ivfhir.knowledge.toml_source import Table
from tools.knowledge.authoring.parameters import Choice, Parameter

_PLACE = re.compile(r"\{([^{}]*)\}")
_IN_DAYS = " in days"


@dataclass(frozen=True)
class NamedText:
    """A text that others name: its CQL expression, and its words in general."""

    cql: str
    general: str


@dataclass(frozen=True)
class Words:
    """A text as it was written, resolved.

    Attributes:
        cql: a CQL expression of type String.
        general: the text where no values are known.
        varies: whether a value stands in it.
    """

    cql: str
    general: str
    varies: bool


class TextReader:
    """Resolves the places in texts.

    Args:
        parameters: the protocol's, by name.
        texts: its texts that have a name.
        choices: its parameters that are words to choose from.
    """

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        texts: Table,
        choices: Mapping[str, Choice] = MappingProxyType({}),
    ) -> None:
        """Resolve the named texts first: they may hold parameters alone."""
        self._parameters = parameters
        self._choices = choices
        self.named: dict[str, NamedText] = {}
        self.used: set[str] = set()
        for name in texts.data:
            table = texts.table(name) if isinstance(texts[name], dict) else texts
            key = "text" if table is not texts else name
            words = self.read(table, key, {}, zero="when_zero")
            self.named[name] = NamedText(words.cql, words.general)

    def read(
        self,
        table: Table,
        key: str,
        fixed: Mapping[str, object],
        *,
        zero: str | None = None,
        general: str = "in_general",
    ) -> Words:
        """Return a text of a table.

        Args:
            table: where it stands.
            key: its key.
            fixed: places whose value is the same in every plan, such as `{segment}`.
            zero: key of the text that stands instead where its only parameter is 0.
            general: key of the text that stands instead where no values are known.
        """
        template = _PLACE.sub(lambda m: str(fixed.get(m[1], m[0])), table[key])
        pieces, parameters = [], []
        words = ""
        at = 0
        for match in _PLACE.finditer(template):
            cql, plain, parameter = self._place(table, key, match[1], fixed)
            pieces += [template[at : match.start()], cql]
            words += template[at : match.start()] + plain
            parameters.append(parameter)
            at = match.end()
        pieces.append(template[at:])
        words = re.sub(r"  +", " ", words + template[at:])
        expression = " & ".join(
            quote(piece) if number % 2 == 0 else piece
            for number, piece in enumerate(pieces)
            if piece
        )
        if zero is not None and zero in table:
            expression = _zero(table, zero, expression, [each for each in parameters if each])
        return Words(expression, table.get(general, words) if parameters else words, at > 0)

    def _place(
        self, table: Table, key: str, name: str, fixed: Mapping[str, object]
    ) -> tuple[str, str, str]:
        """Return CQL, words in general, and the parameter of a place, '' for a named text."""
        if name in self.named:
            self.used.add(name)
            return f"Text_{name}", self.named[name].general, ""
        if name in self._choices:
            options = " or ".join(self._choices[name].options) or "as chosen"
            return f"Coalesce({name}, 'not chosen')", options, name
        parameter = self._parameters.get(name.removesuffix(_IN_DAYS))
        if parameter is None:
            names = [*self._parameters, *self._choices, *self.named, *fixed]
            table.refuse(f"no value is called '{{{name}}}'; {known(name, names)}", key)
        if not name.endswith(_IN_DAYS):
            return f"ToString({parameter.name})", parameter.allowed, parameter.name
        if parameter.unit != "days":
            table.refuse(f"{parameter.name} is not in days; say its unit, or leave 'in days'", key)
        return f"Days({parameter.name})", f"{parameter.allowed} days", parameter.name


def _zero(table: Table, zero: str, expression: str, parameters: list[str]) -> str:
    if len(set(parameters)) != 1:
        table.refuse(
            f"{zero} needs a text with one parameter in it; this has several or none", zero
        )
    return f"if {parameters[0]} = 0 then {quote(table[zero])} else {expression}"


def quote(text: str) -> str:
    """Return a text as a CQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
