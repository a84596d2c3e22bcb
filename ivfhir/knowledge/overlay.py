"""A site's overlay: a folder with the site's own numbers and regimens, over ours (docs/overlay.md).

What narrows applies. What widens needs a sign-off that names the row and its value. An overlay
applies whole or not at all: any mistake in it is refused, with file and line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

from ivfhir.errors import KnowledgeError, UsageError
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.package import NO_PROTOCOLS, knowledge_root, read_json, shared_folder
from ivfhir.knowledge.parameters import HIGHEST, LOWEST, ProtocolParameter, read_parameters
from ivfhir.knowledge.regimen import Regimen
from ivfhir.knowledge.regimens import PREFIX, load_regimens
from ivfhir.knowledge.thresholds import LIBRARY, Threshold, read_thresholds
from ivfhir.knowledge.toml_keys import check_keys, known
from ivfhir.knowledge.toml_source import AuthoringError, Table, read_table
from ivfhir.knowledge.wider import wider_drug, wider_regimen

FILE = "overlay.toml"

_REGIMENS = "regimens"
_MANY_TIMES = 10

_OVERLAY = {
    **dict.fromkeys(("name", "version", "url", "by"), "text!"),
    "date": "date!",
    **dict.fromkeys(("threshold", "parameter", "sign_off"), "tables"),
}
_THRESHOLD = {
    **dict.fromkeys(("criterion", "fact", "reason"), "text!"),
    "value": "amount!",
    "unit": "text",
}
_PARAMETER = {
    **dict.fromkeys(("protocol", "name", "reason"), "text!"),
    **dict.fromkeys(("lowest", "highest", "default"), "number"),
}
_SIGN_OFF = {**dict.fromkeys(("name", "role", "of", "value", "what"), "text!"), "date": "date!"}


@dataclass(frozen=True)
class SignOff:
    """Who answers for a row that widens.

    Attributes:
        name: of the one who signed.
        role: of the same.
        day: when.
        of: the row, `X-BLEED.platelets`.
        value: what was signed, as the row says it.
        what: what was signed, in words.
    """

    name: str
    role: str
    day: date
    of: str
    value: str
    what: str


@dataclass(frozen=True)
class Overlay:
    """A site's overlay, checked against our knowledge.

    Attributes:
        name: of the site.
        version: of the overlay.
        url: its canonical.
        by: who wrote it.
        day: of its writing.
        numbers: name of each threshold that the site changed -> the threshold, and its number.
        parameters: protocol and parameter that the site changed -> the parameter as it is now.
        regimens: the site's own, by id.
        sign_offs: the sign-offs that its widening rows needed.
        digest: SHA-256 of its files, as hex: which text it was, whatever its version says.
    """

    name: str
    version: str
    url: str
    by: str
    day: date
    numbers: Mapping[str, tuple[Threshold, Decimal]]
    parameters: Mapping[tuple[str, str], ProtocolParameter]
    regimens: Mapping[str, Regimen]
    sign_offs: tuple[SignOff, ...]
    digest: str

    @property
    def canonical(self) -> str:
        """Its `url|version`."""
        return f"{self.url}|{self.version}"

    @property
    def called(self) -> str:
        """Its name and version, for a sentence."""
        return f"{self.name} {self.version}"

    @property
    def applied(self) -> str:
        """What a reader of an answer has to know of it."""
        return self._says("applied")

    @property
    def in_use(self) -> str:
        """The same of a page, which may show an answer from before it."""
        return self._says("is in use")

    def _says(self, verb: str) -> str:
        changed = list(self.numbers)
        changed += [".".join(each) for each in self.parameters]
        says = [f"it changes {', '.join(changed)}"] if changed else []
        says += [f"it adds {', '.join(self.regimens)}"] if self.regimens else []
        says += [
            f"{each.of} is wider than the specification, signed by {each.name}, {each.role}, on "
            f"{each.day.isoformat()}"
            for each in self.sign_offs
        ]
        return f"The site overlay {self.called} {verb}{': ' if says else ''}{'; '.join(says)}."

    def to_json(self) -> Resource:
        """Return what an answer says of it."""
        return {"name": self.name, "version": self.version}

    def given(self) -> dict[tuple[str, str], int | Decimal]:
        """Return library and CQL parameter -> the site's number, default or bound."""
        found: dict[tuple[str, str], int | Decimal] = {
            (LIBRARY, ours.parameter): number for ours, number in self.numbers.values()
        }
        for (protocol, name), each in self.parameters.items():
            library = f"{protocol}Plan"
            found[library, name] = each.default
            found[library, f"{name}{LOWEST}"] = each.low
            found[library, f"{name}{HIGHEST}"] = each.high
        return found

    def check_fits(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Refuse libraries whose numbers are not those that the overlay was checked against.

        Args:
            documents: ELM JSON of a protocol's library and of all that it includes.

        Raises:
            KnowledgeError: a number that the site changed has another default there.
        """
        declared = {
            each["name"]: each.get("default", {}).get("value")
            for document in documents
            if document["library"]["identifier"]["id"] == LIBRARY
            for each in document["library"]["parameters"]["def"]
        }
        for ours, _ in self.numbers.values():
            said = declared.get(ours.parameter)
            if said is not None and Decimal(said) != ours.number:
                raise KnowledgeError(
                    f"{LIBRARY} says {said} for {ours.name}, thresholds.toml {ours.number}: the "
                    "overlay is of other knowledge; leave it out, or give the protocol by its id."
                )

    def parameter(self, protocol: str, ours: ProtocolParameter) -> ProtocolParameter:
        """Return a parameter as the site has it."""
        return self.parameters.get((protocol, ours.name), ours)

    def reword(self, define: str, title: str, rule: str) -> tuple[str, str]:
        """Return title and rule of a criterion with the site's numbers, and ours beside them.

        Raises:
            KnowledgeError: the rule does not say a number as thresholds.toml has it.
        """
        name = define.replace("_", "-")
        for threshold, number in self.numbers.values():
            for words in (*threshold.rules, threshold.titles):
                if name not in words:
                    continue
                said, other = words[name]
                text = title if words is threshold.titles else rule
                if said not in text:
                    raise KnowledgeError(
                        f"thresholds.toml: {name} does not say '{said}'; mend its words there."
                    )
                now = other.format(number)
                if words is threshold.titles:
                    title = text.replace(said, now)
                else:
                    mark = f" (site: {self.name}; specification {threshold.number})"
                    rule = text.replace(said, now + mark)
        return title, rule

    def reword_titles(self, note: str) -> str:
        """Return a note that names criteria by their titles, with the site's numbers in these."""
        for threshold, number in self.numbers.values():
            for said, other in threshold.titles.values():
                note = note.replace(said, other.format(number))
        return note


def load_overlay(folder: str | Path | None) -> Overlay | None:
    """Return a site's overlay; None where none is named.

    Args:
        folder: of the overlay; None or '' for none.

    Raises:
        UsageError: there is no such folder, or it has no overlay.toml.
        KnowledgeError: it holds a mistake, or widens without a sign-off; the message has file and
            line.
    """
    if not folder:
        return None
    folder = Path(folder)
    if not (folder / FILE).is_file():
        raise UsageError(
            f"The overlay {folder} has no {FILE}; name the folder that holds one, or leave it out."
        )
    try:
        return _Reader(folder).overlay()
    except AuthoringError as error:
        raise KnowledgeError(f"The overlay {folder} is refused. {error}.") from error


class _Reader:
    """Reads an overlay, and refuses what is wrong in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table = read_table(folder / FILE, FILE)
        check_keys(self.table, _OVERLAY, "an overlay")
        self.sign_offs: dict[str, tuple[Table, SignOff]] = {}
        self.used: dict[str, SignOff] = {}

    def overlay(self) -> Overlay:
        self._refuse_strangers()
        for table in self.table.tables("sign_off"):
            self._sign_off(table)
        numbers = self._numbers()
        parameters = self._parameters()
        regimens = self._regimens()
        for name, (table, _) in self.sign_offs.items():
            if name not in self.used:
                table.refuse(
                    f"nothing of the overlay needs the sign-off of {name}; name a row that widens, "
                    "or remove it",
                    "of",
                )
        own = self.table
        if not own["url"].startswith(("https://", "http://", "urn:")):
            own.refuse("url must be a canonical, such as https://site.example/overlay", "url")
        return Overlay(
            name=own["name"],
            version=own["version"],
            url=own["url"],
            by=own["by"],
            day=own["date"],
            numbers=numbers,
            parameters=parameters,
            regimens=regimens,
            sign_offs=tuple(self.used.values()),
            digest=self._digest(),
        )

    def _digest(self) -> str:
        """Return one value for the texts that apply: the numbers, and the regimens as built."""
        paths = [self.folder / FILE, *sorted((self.folder / _REGIMENS).glob(f"{PREFIX}*.json"))]
        files = (f"{each.name}:{sha256(each.read_bytes()).hexdigest()}" for each in paths)
        return sha256("\n".join(files).encode()).hexdigest()

    def _refuse_strangers(self) -> None:
        """Refuse files that would be passed over: most are misspelt."""
        allowed = (FILE, _REGIMENS, "README.md")
        for path in sorted(self.folder.iterdir()):
            if path.name not in allowed and not path.name.startswith("."):
                self.table.refuse(
                    f"beside it stands {path.name}, which nothing reads; "
                    f"{known(path.name, allowed)}"
                )

    def _sign_off(self, table: Table) -> None:
        check_keys(table, _SIGN_OFF, "a sign-off")
        if table["of"] in self.sign_offs:
            table.refuse(f"{table['of']} is signed twice; keep one of them", "of")
        self.sign_offs[table["of"]] = (
            table,
            SignOff(
                name=table["name"],
                role=table["role"],
                day=table["date"],
                of=table["of"],
                value=table["value"],
                what=table["what"],
            ),
        )

    def _need(self, table: Table, name: str, value: str, why: str) -> None:
        """Refuse a row that widens without its sign-off."""
        _, found = self.sign_offs.get(name, (None, None))
        if found is None or found.value != value:
            said = "" if found is None else f" (the one there is for {found.value})"
            table.refuse(
                f"{name} widens: {why}. It needs a sign-off{said}: add a [[sign_off]] with name, "
                f'role, date, what, of = "{name}" and value = "{value}"; or narrow it'
            )
        self.used[name] = found

    def _numbers(self) -> dict[str, tuple[Threshold, Decimal]]:
        declared = read_thresholds(shared_folder())
        found: dict[str, tuple[Threshold, Decimal]] = {}
        rows: dict[str, Table] = {}
        for table in self.table.tables("threshold"):
            check_keys(table, _THRESHOLD, "a threshold")
            name = f"{table['criterion']}.{table['fact']}"
            if name not in declared:
                table.refuse(f"{name} is no threshold; {known(name, declared)}", "criterion")
            if name in rows:
                table.refuse(f"{name} is there twice; keep one of the rows", "criterion")
            ours, number = declared[name], Decimal(table["value"])
            rows[name] = table
            self._check_number(table, ours, number)
            if number == ours.number:
                table.refuse(
                    f"{name} is {number} in the specification too; remove the row", "value"
                )
            if ours.widens(number):
                why = f"the specification says {ours.number}"
                self._need(table, name, str(table["value"]), why)
            found[name] = (ours, number)
        now = {name: each.number for name, each in declared.items()}
        now |= {name: number for name, (_, number) in found.items()}
        for low, each in declared.items():
            if each.below and now[low] >= now[each.below]:
                rows[low if low in rows else each.below].refuse(
                    f"{low} ({now[low]}) must stay below {each.below} ({now[each.below]})", "value"
                )
        return found

    @staticmethod
    def _check_number(table: Table, ours: Threshold, number: Decimal) -> None:
        unit = table.get("unit", "")
        if unit != ours.unit:
            wanted = f'unit = "{ours.unit}"' if ours.unit else "no unit"
            table.refuse(
                f"{ours.name} is counted in {ours.unit or 'no unit'}; give the value so, with "
                f"{wanted}",
                "unit",
            )
        if ours.whole and number != int(number):
            table.refuse(f"{ours.name} is a whole number; write one", "value")
        if not ours.number / _MANY_TIMES <= number <= ours.number * _MANY_TIMES:
            table.refuse(
                f"{number} is far from the {ours.number} {ours.unit}".rstrip()
                + " of the specification: is it of another unit? Give a value of at most ten times "
                "that, and at least a tenth",
                "value",
            )

    def _parameters(self) -> dict[tuple[str, str], ProtocolParameter]:
        found: dict[tuple[str, str], ProtocolParameter] = {}
        for table in self.table.tables("parameter"):
            check_keys(table, _PARAMETER, "a parameter")
            protocol, name = table["protocol"], table["name"]
            declared = _parameters_of(protocol)
            if declared is None:
                table.refuse(f"there is no protocol '{protocol}' with parameters", "protocol")
            if name not in declared:
                table.refuse(f"{protocol} has no number '{name}'; {known(name, declared)}", "name")
            if (protocol, name) in found:
                table.refuse(f"{protocol}.{name} is there twice; keep one of the rows", "name")
            found[protocol, name] = self._parameter(table, protocol, declared[name])
        return found

    def _parameter(self, table: Table, protocol: str, ours: ProtocolParameter) -> ProtocolParameter:
        name = f"{protocol}.{ours.name}"
        if ours.choices or ours.fixed:
            table.refuse(f"{name} has no bounds that a site may change", "name")
        now = replace(
            ours,
            low=table.get("lowest", ours.low),
            high=table.get("highest", ours.high),
            default=table.get("default", ours.default),
        )
        if now == ours:
            table.refuse(f"{name} is so in the specification too; give lowest, highest or default")
        if not now.low <= now.default <= now.high:
            table.refuse(
                f"{name} has the default {now.default}, which is not from {now.low} to {now.high}; "
                "give lowest, highest and default that fit"
            )
        if now.low < ours.low or now.high > ours.high:
            if not ours.unit or now.low < 0:
                table.refuse(
                    f"{name} is a count, and the plan has steps for {ours.low} to {ours.high} "
                    "only; give bounds within these"
                )
            self._need(
                table,
                name,
                f"{now.low} to {now.high}",
                f"the specification says {ours.low} to {ours.high}",
            )
        return now

    def _regimens(self) -> dict[str, Regimen]:
        folder = self.folder / _REGIMENS
        if not folder.is_dir():
            return {}
        for path in sorted(folder.iterdir()):
            built = folder / f"{PREFIX}{path.stem}.json"
            ours = path.match(f"{PREFIX}*.json")
            source = path.suffix == ".toml" and (path.stem == "common" or built.is_file())
            if not (ours or source or path.name == "README.md" or path.name.startswith(".")):
                self.table.refuse(
                    f"{_REGIMENS}/{path.name} is no built regimen; build it with `python -m "
                    "tools.knowledge regimens FOLDER` in a source tree of ivfhir, or remove it"
                )
        known_ones = load_regimens()
        found = load_regimens(folder)
        for name, each in found.items():
            place = Table(f"{_REGIMENS}/{PREFIX}{name}.json", (), {}, {})
            if each.id != name:
                place.refuse(f"its id is {each.id}; make id and file name agree")
            if name in known_ones:
                place.refuse(f"{name} is a regimen of the specification; give yours another id")
            for protocol in each.protocols:
                if _plan_definition(protocol) is None:
                    place.refuse(f"there is no protocol {protocol}; name one that there is")
            self._refuse_parts_alike(place, each)
            known_to_us = [*known_ones.values()]
            for drug in each.drugs:
                wider = list(wider_drug(drug, each, known_to_us))
                if wider:
                    self._need(place, f"{name}.{drug.id}", each.version, "; ".join(wider))
            for matter, why in wider_regimen(each, known_to_us):
                self._need(place, f"{name}.{matter}", each.version, why)
        return found

    @staticmethod
    def _refuse_parts_alike(place: Table, regimen: Regimen) -> None:
        """Refuse a bolus and an infusion of one drug that only their titles tell apart."""
        for one, other in combinations(regimen.drugs, 2):
            if (one.drug, one.route) == (other.drug, other.route) and (
                not (one.method and other.method) or one.method == other.method
            ):
                place.refuse(
                    f"{one.id} and {other.id} are {one.drug} by the same route: give each its own "
                    'method, such as method = "bolus" and method = "infusion", in '
                    f"{regimen.id}.toml, and build it again"
                )


def _plan_definition(protocol: str) -> Path | None:
    found = knowledge_root().glob(f"*/{PREFIX}{protocol}.json")
    return next((path for path in found if path.parent.name not in NO_PROTOCOLS), None)


def _parameters_of(protocol: str) -> dict[str, ProtocolParameter] | None:
    """Return the numbers of a protocol by name; None where there is no such protocol."""
    path = _plan_definition(protocol)
    form: dict[str, Any] = {}
    if path is None:
        return None
    questionnaire = path.with_name(f"Questionnaire-{protocol}-parameters.json")
    if questionnaire.is_file():
        form = read_json(questionnaire)
    return {each.name: each for each in read_parameters(form)}
