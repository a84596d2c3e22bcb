"""The numbers of the criteria that a site may change, as thresholds.toml declares them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ivfhir.errors import KnowledgeError
from ivfhir.knowledge.toml_keys import check_keys
from ivfhir.knowledge.toml_source import AuthoringError, Table, read_table

FILE = "thresholds.toml"
"""The file, in the folder of what protocols share."""

LIBRARY = "IOThresholds"
"""The CQL library that is built from it: a parameter a number."""

HIGHER, LOWER = "higher", "lower"

_KEYS = {
    "number": "amount!",
    "narrower": "text!",
    **dict.fromkeys(("unit", "below"), "text"),
    "whole": "flag",
    "rule": "table!",
    **dict.fromkeys(("rule_too", "title"), "table"),
}

Words = Mapping[str, tuple[str, str]]
"""Criterion, with its mode where it has one -> its words, and those for another number."""


@dataclass(frozen=True)
class Threshold:
    """A number of a criterion.

    Attributes:
        criterion: whose it is, with the mode where it has one: `LIVER-I02-TACE`.
        fact: what it bounds: `platelets`.
        number: what the specification says, in `unit`.
        unit: UCUM; '' for a score or a count.
        whole: whether it is a whole number.
        narrower: `higher` or `lower`: the way in which fewer are eligible, or more are cautioned.
        below: name of the threshold below which it must stay; '' for none.
        rules: what says the number in rules, several times where a rule says it twice.
        titles: the same of titles.
    """

    criterion: str
    fact: str
    number: Decimal
    unit: str
    whole: bool
    narrower: str
    below: str
    rules: tuple[Words, ...]
    titles: Words

    @property
    def name(self) -> str:
        """What it is called in thresholds.toml: `X-BLEED.platelets`."""
        return f"{self.criterion}.{self.fact}"

    @property
    def parameter(self) -> str:
        """The CQL parameter that holds it: `X_BLEED_platelets`."""
        return f"{self.criterion}_{self.fact}".replace("-", "_")

    def widens(self, number: Decimal) -> bool:
        """Whether a number lets in, or leaves without caution, whom the specification does not."""
        return number < self.number if self.narrower == HIGHER else number > self.number


def read_thresholds(folder: Path) -> dict[str, Threshold]:
    """Return the numbers by name, in the order of the file; none where there is no file.

    Args:
        folder: the folder of what protocols share.

    Raises:
        KnowledgeError: the file cannot be read as such; the message has its line.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        source = read_table(path, FILE)
        found = [
            _threshold(criterion, fact, each)
            for criterion in source.data
            for fact, each in source.named(criterion).items()
        ]
    except AuthoringError as error:
        raise KnowledgeError(f"{error}.") from error
    return {each.name: each for each in found}


def _threshold(criterion: str, fact: str, table: Table) -> Threshold:
    check_keys(table, _KEYS, f"threshold {criterion}.{fact}")
    if table["narrower"] not in (HIGHER, LOWER):
        table.refuse("narrower must be higher or lower", "narrower")
    return Threshold(
        criterion=criterion,
        fact=fact,
        number=Decimal(table["number"]),
        unit=table.get("unit", ""),
        whole=table.get("whole", False),
        narrower=table["narrower"],
        below=table.get("below", ""),
        rules=tuple(_words(table, key) for key in ("rule", "rule_too") if key in table),
        titles=_words(table, "title"),
    )


def _words(table: Table, key: str) -> Words:
    return {name: (said, other) for name, (said, other) in table.table(key).data.items()}
