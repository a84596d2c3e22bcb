"""The parameters of a protocol: default, bounds, and their words."""

from dataclasses import dataclass

from ivfhir.knowledge.toml_keys import check_keys
from ivfhir.knowledge.toml_source import Table
from tools.knowledge.authoring import schema


@dataclass(frozen=True)
class Parameter:
    """A whole number that the clinician chooses.

    Attributes:
        name: as `--param` takes it.
        table: its table in protocol.toml.
        default: the value that holds when none is given.
        low: the lowest value that is allowed.
        high: the highest.
        choices: the values to choose from; empty where every number between low and high is.
        unit: such as `days`; '' where it has none.
    """

    name: str
    table: Table
    default: int
    low: int
    high: int
    choices: tuple[int, ...]
    unit: str

    @property
    def fixed(self) -> bool:
        """Whether the default is the only value."""
        return self.low == self.high

    @property
    def allowed(self) -> str:
        """The allowed values in words: `4 to 6`, or `4`."""
        return str(self.low) if self.fixed else f"{self.low} to {self.high}"

    @property
    def called(self) -> str:
        """Its name within a sentence."""
        return str(self.table.get("called", self.table["label"]))


@dataclass(frozen=True)
class Choice:
    """One of several words that the clinician chooses: a mode, a site, a base. It has no default.

    Attributes:
        name: as `--param` takes it.
        table: its table in protocol.toml.
        options: the words to choose from -> what each is called on the form; empty for any words,
            which no form asks for.
    """

    name: str
    table: Table
    options: dict[str, str]


def read_parameters(protocol: Table) -> dict[str, Parameter]:
    """Return the whole-number parameters by name, in the order of the file.

    Raises:
        AuthoringError: no bounds, several kinds of them, or a default out of them.
    """
    tables = protocol.named("parameter").items()
    return {name: _read(name, table) for name, table in tables if not _is_words(table)}


def read_choices(protocol: Table) -> dict[str, Choice]:
    """Return the parameters that are words to choose from, by name, in the order of the file.

    Raises:
        AuthoringError: a key that is none, or an option without words.
    """
    tables = protocol.named("parameter").items()
    return {name: _choice(name, table) for name, table in tables if _is_words(table)}


def _is_words(table: Table) -> bool:
    return "options" in table or "words" in table


def _choice(name: str, table: Table) -> Choice:
    kinds = schema.WORDS if "words" in table else schema.CHOICE
    check_keys(table, kinds, f"parameter {name}")
    if not name.isidentifier():
        table.refuse(f"parameter {name}: its name may hold letters, digits and _ only")
    options = dict(table.table("options").data)
    for value, words in options.items():
        if not isinstance(words, str) or not words.strip():
            table.refuse(f"the option {value} of {name} needs its words in quotes", "options")
    return Choice(name, table, options)


def _read(name: str, table: Table) -> Parameter:
    check_keys(table, schema.PARAMETER, f"parameter {name}")
    if not name.isidentifier():
        table.refuse(f"parameter {name}: its name may hold letters, digits and _ only")
    default: int = table["default"]
    choices = tuple(table.get("choices", ()))
    between = table.get("between")
    if sum((bool(choices), between is not None, bool(table.get("fixed")))) != 1:
        table.refuse(f"parameter {name} needs one of between, choices, or fixed = true")
    low, high = default, default
    if between is not None:
        if len(between) != 2 or between[0] >= between[1]:  # noqa: PLR2004 - two ends
            table.refuse(f"between of {name} must be [lowest, highest]", "between")
        low, high = between
    if choices:
        low, high = min(choices), max(choices)
    if not low <= default <= high or (choices and default not in choices):
        table.refuse(
            f"the default of {name}, {default}, is not allowed: it must be "
            f"{' or '.join(map(str, choices)) if choices else f'{low} to {high}'}",
            "default",
        )
    return Parameter(name, table, default, low, high, choices, table.get("unit", ""))
