"""A protocol as its two files say it, checked: what every builder reads."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ivfhir.knowledge.package import read_json
from ivfhir.knowledge.toml_keys import check_keys, known
from ivfhir.knowledge.toml_source import Table, read_table
from tools.knowledge.authoring import schema
from tools.knowledge.authoring.occurrences import Occurrence, Rounds, Rows
from tools.knowledge.authoring.parameters import Choice, Parameter, read_choices, read_parameters
from tools.knowledge.authoring.relations import Relations
from tools.knowledge.authoring.texts import TextReader
from tools.knowledge.layout import CANONICAL_BASE, Layout

BOARD = f"{CANONICAL_BASE}/CodeSystem/io-plan"
"""The code system of the board's lanes, and of what marks an action."""

_HOW_OFTEN = ("count", "interval")

GENERAL_KNOWLEDGE = "general-knowledge"
_DEFINE = re.compile(r"^define \"?([\w-]+)\"?\s*:", re.MULTILINE)


@dataclass(frozen=True)
class Protocol:
    """A protocol's sources. Everything by its id; nothing here knows one.

    Attributes:
        words: protocol.toml.
        plan: plan.toml.
        parameters: the whole numbers, by name.
        choices: the parameters that are words to choose from, by name.
        rounds: what it repeats, None when nothing.
        texts: resolves the places in texts.
        occurrences: the actions, in the order of the rows; one that is planned in several ways is
            there once for each.
        relations: of the actions.
        defines: names that the protocol's own CQL defines.
        board: code -> display of lanes and marks.
        lanes: the codes among them that are lanes.
        codes: display of each code that was seen in a public source -> (system, code).
    """

    words: Table
    plan: Table
    parameters: dict[str, Parameter]
    choices: dict[str, Choice]
    rounds: Rounds | None
    texts: TextReader
    occurrences: list[Occurrence]
    relations: Relations
    defines: frozenset[str]
    board: dict[str, str]
    lanes: frozenset[str]
    codes: dict[str, list[tuple[str, str]]] = field(repr=False)

    @cached_property
    def id(self) -> str:
        """The protocol's id: `LUNG`."""
        return str(self.words["id"])

    @cached_property
    def version(self) -> str:
        """Its version."""
        return str(self.words["version"])

    @property
    def library(self) -> str:
        """Canonical of the library that is written by hand."""
        return f"{CANONICAL_BASE}/Library/{self.id}|{self.version}"

    @property
    def plan_library(self) -> str:
        """Canonical of the library that is built: parameters, days, texts."""
        return f"{CANONICAL_BASE}/Library/{self.id}Plan|{self.version}"

    @cached_property
    def actions(self) -> dict[str, list[Occurrence]]:
        """Id of each action -> the ways in which it is planned, the first of them its words."""
        found: dict[str, list[Occurrence]] = {}
        for each in self.occurrences:
            found.setdefault(each.action_id, []).append(each)
        return found

    def label(self, key: str) -> str:
        """Return how others name a gate, stop, exit, rule or goal: `LUNG-G01`."""
        return f"{self.id}-{key}"

    def define(self, table: Table, key: str, name: str) -> str:
        """Return the define of a gate or a stop.

        Raises:
            AuthoringError: the protocol's CQL has none of that name.
        """
        define = f"{self.id}_{name}"
        if define not in self.defines:
            table.refuse(
                f"cql/{self.id}.cql has no define {define}; write it there, or leave {name} out",
                key,
            )
        return define

    def one_of(self, table: Table, key: str, name: str, kind: str) -> Table:
        """Return the table of protocol.toml that holds a name.

        Args:
            table: where the name is used.
            key: by which key.
            name: the name.
            kind: the table: `gates`.

        Raises:
            AuthoringError: there is none of that name.
        """
        found = self.words.table(kind)
        if name not in found:
            table.refuse(f"{kind} of protocol.toml has no '{name}'; {known(name, found.data)}", key)
        return found

    def activity_of(self, row: Table) -> tuple[str, Table]:
        """Return the id and the table of a row's activity."""
        name = row.get("activity", row["id"].replace(".", "-"))
        key = "activity" if "activity" in row else "id"
        return name, self.one_of(row, key, name, "activity").table(name)


def read_protocol(
    folder: Path, layout: Layout, codes: dict[str, list[tuple[str, str]]]
) -> Protocol:
    """Return the protocol of a folder.

    Raises:
        AuthoringError: a row that cannot be built, with file and line.
    """
    words = read_table(folder / "protocol.toml", f"{folder.name}/protocol.toml")
    plan = read_table(folder / "plan.toml", f"{folder.name}/plan.toml")
    check_keys(words, schema.PROTOCOL, "the protocol")
    _check_tables(words)
    parameters, choices = read_parameters(words), read_choices(words)
    rounds = _rounds(plan, parameters, choices)
    _check_plan(plan, rounds)
    rows = Rows(words["id"], plan, parameters, rounds)
    board, lanes = _board(layout)
    cql = folder / "cql" / f"{words['id']}.cql"
    if not cql.is_file():
        words.refuse(f"cql/{words['id']}.cql is missing: the criteria and gates stand there", "id")
    return Protocol(
        words=words,
        plan=plan,
        parameters=parameters,
        choices=choices,
        rounds=rounds,
        texts=TextReader(parameters, words.table("texts"), choices),
        occurrences=rows.occurrences,
        relations=Relations(rows.occurrences, rounds),
        defines=frozenset(_DEFINE.findall(cql.read_text(encoding="utf-8"))),
        board=board,
        lanes=lanes,
        codes=codes,
    )


def _check_tables(words: Table) -> None:
    check_keys(words.table("evidence"), schema.EVIDENCE, "evidence")
    always = words.table("always_said")
    for name in ("standard-treatment", "evidence", "nature"):
        if name not in always:
            always.refuse(f"always_said has no '{name}': it heads every answer")
    for name, table in words.named("activity").items():
        check_keys(table, schema.ACTIVITY, f"activity {name}")
        for each in table.tables("tells"):
            check_keys(each, schema.TELLS, f"what {name} tells")
    for name, table in words.named("sources").items():
        check_keys(table, schema.SOURCE, f"source {name}")
    for name, table in words.named("seeds").items():
        check_keys(table, schema.SEED, f"seed {name}")
    for kind, keys in (("texts", schema.TEXT), ("gates", schema.GATE)):
        for name, value in words.table(kind).data.items():
            if isinstance(value, dict):
                check_keys(words.table(kind).table(name), keys, f"{name} of {kind}")
    for name, table in words.named("goals").items():
        check_keys(table, schema.GOAL, f"goal {name}")


def _check_plan(plan: Table, rounds: Rounds | None) -> None:
    own = {rounds.word: "tables!"} if rounds else {}
    check_keys(plan, {**schema.PLAN, **own}, "the plan")
    _unique(plan.tables("part"), schema.PART, "part")
    keys = {**schema.ACTION, **({f"{rounds.word}s": "numbers or all"} if rounds else {})}
    for row in plan.tables("action"):
        check_keys(row, keys, f"action {row.get('id', '')}".strip())
    if rounds is not None:
        parts = [part["id"] for part in plan.tables("part")]
        if rounds.part not in parts:
            plan.table("rounds").refuse(
                f"there is no part '{rounds.part}'; {known(rounds.part, parts)}", "part"
            )


def _unique(tables: Iterable[Table], keys: dict[str, str], what: str) -> None:
    seen: set[str] = set()
    for table in tables:
        check_keys(table, keys, f"{what} {table.get('id', '')}".strip())
        if table["id"] in seen:
            table.refuse(f"the {what} {table['id']} is there twice; change one id", "id")
        seen.add(table["id"])


def _rounds(
    plan: Table, parameters: dict[str, Parameter], choices: dict[str, Choice]
) -> Rounds | None:
    if "rounds" not in plan:
        return None
    table = plan.table("rounds")
    check_keys(table, schema.ROUNDS, "rounds")
    by = table.get("by", "")
    if by and by not in choices:
        table.refuse(f"no choice is called '{by}'; {known(by, choices)}", "by")
    counts, intervals = (_by_choice(table, key, parameters, choices.get(by)) for key in _HOW_OFTEN)
    word, most = table["word"], max(each.high for each in counts.values())
    first = _parameter(table, "first", table["first"], parameters) if "first" in table else None
    tables: dict[int, Table] = {}
    for each in plan.tables(word):
        check_keys(each, schema.ROUND, f"a {word}")
        for number in each["numbers"]:
            if number in tables:
                each.refuse(f"{word} {number} is there twice; keep one", "numbers")
            tables[number] = each
    if sorted(tables) != list(range(1, most + 1)):
        names = " and ".join(dict.fromkeys(each.name for each in counts.values()))
        table.refuse(f"every {word} from 1 to {most} ({names}) needs its [[{word}]]", "count")
    return Rounds(word, counts, intervals, by, first, table["part"], dict(sorted(tables.items())))


def _by_choice(
    table: Table, key: str, parameters: dict[str, Parameter], choice: Choice | None
) -> dict[str, Parameter]:
    """Return the parameter of each word of a choice; of a plan without one, under ''."""
    if isinstance(table[key], str):
        return {"": _parameter(table, key, table[key], parameters)}
    names: dict[str, str] = table[key]
    if choice is None or set(names) != set(choice.options):
        options = ", ".join(choice.options) if choice else "none: 'by' names no choice"
        table.refuse(f"{key} must name a parameter for each option of the choice ({options})", key)
    return {word: _parameter(table, key, name, parameters) for word, name in names.items()}


def _parameter(table: Table, key: str, name: str, parameters: dict[str, Parameter]) -> Parameter:
    if name not in parameters:
        table.refuse(f"no parameter is called '{name}'; {known(name, parameters)}", key)
    return parameters[name]


def _board(layout: Layout) -> tuple[dict[str, str], frozenset[str]]:
    """Return code -> display of the board's code system, and which of them are lanes."""
    system: dict[str, Any] = read_json(layout.shared / "CodeSystem-io-plan.json")
    groups = {each["code"]: each.get("concept", []) for each in system["concept"]}
    found = {c["code"]: c["display"] for concepts in groups.values() for c in concepts}
    return found, frozenset(c["code"] for c in groups["lane"])
