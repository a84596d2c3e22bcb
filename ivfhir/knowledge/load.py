"""Load protocols: the PlanDefinition, its compiled library, its value sets and its activities."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ivfhir.errors import KnowledgeError, UnknownProtocolError, UnsupportedError
from ivfhir.expressions.elm import DefineKey, ElmLibrary, LibraryKey, load_libraries
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.actions import check_actions, check_expressions, walk_actions
from ivfhir.knowledge.contract import FACTS, contract_problems
from ivfhir.knowledge.criteria import criteria_of
from ivfhir.knowledge.package import SHARED, ProtocolPackage, knowledge_root, read_json

T = TypeVar("T")
Expansion = frozenset[tuple[str, str]]
PREFIX = "PlanDefinition-"


class Lazy(Mapping[str, T]):
    """A mapping that makes each value when it is first asked for, and keeps it.

    Args:
        keys: the keys, in order.
        make: returns the value of a key.
    """

    def __init__(self, keys: Iterable[str], make: Callable[[str], T]) -> None:
        """Keep the keys and how to make a value."""
        self._made: dict[str, T | None] = dict.fromkeys(keys)
        self._make = make

    def __getitem__(self, key: str) -> T:
        """Return the value, made now or before."""
        value = self._made[key]
        if value is None:
            value = self._made[key] = self._make(key)
        return value

    def __iter__(self) -> Iterator[str]:
        """Yield the keys; nothing is made."""
        return iter(self._made)

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._made)


@dataclass(frozen=True)
class ClinicalProtocol:
    """A protocol, ready to evaluate.

    Attributes:
        id: the short name users type: `LUNG`.
        version: the protocol's own version.
        title: for people.
        plan_definition: the PlanDefinition as it stands in its file.
        activity_definitions: canonical as the plan writes it -> the resource, read when asked for.
        library: its library, compiled.
        facts: the library of the facts that it includes.
        criteria: the define of each criterion, in order -> the FHIR types that it needs.
        value_sets: canonical of each value set that the library uses -> its codes (system, code).
        resource_types: FHIR types that any of its defines retrieves.
    """

    id: str
    version: str
    title: str
    plan_definition: Resource
    activity_definitions: Mapping[str, Resource]
    library: ElmLibrary
    facts: LibraryKey
    criteria: Mapping[DefineKey, frozenset[str]]
    value_sets: Mapping[str, Expansion]
    resource_types: frozenset[str]


def load_protocols() -> Mapping[str, ClinicalProtocol]:
    """Return our protocols by id, sorted by folder; each is loaded when first asked for."""
    files = _our_files()
    return Lazy(files, lambda name: _load(files[name]))


def load_protocol(reference: str | Path) -> ClinicalProtocol:
    """Return one protocol.

    Args:
        reference: a protocol id (`LUNG`), a canonical `url|version` or `url`, a PlanDefinition's
            file, or a folder that holds one.

    Raises:
        UnknownProtocolError: there is none of that name.
        KnowledgeError: it cannot be loaded.
    """
    files = _our_files()
    if isinstance(reference, str):
        if reference in files:
            return _load(files[reference])
        url = reference.partition("|")[0]
        if url.startswith(("http://", "https://", "urn:")):
            return _by_canonical(reference)
    path = Path(reference)
    if path.is_dir():
        return _load(_only_plan_definition(path))
    if path.is_file():
        return _load(path.resolve())
    raise UnknownProtocolError(
        f"There is no protocol '{reference}'. Known: {', '.join(files)}. "
        "Give an id, a canonical url|version, a PlanDefinition's file or its folder."
    )


def _our_files() -> dict[str, Path]:
    paths = sorted(knowledge_root().glob(f"*/{PREFIX}*.json"))
    return {path.stem.removeprefix(PREFIX): path for path in paths if path.parent.name != SHARED}


def _by_canonical(canonical: str) -> ClinicalProtocol:
    url, _, version = canonical.partition("|")
    path = _our_files().get(url.rpartition("/")[2])
    protocol = _load(path) if path is not None else None
    if protocol is None or protocol.plan_definition["url"] != url:
        raise UnknownProtocolError(
            f"There is no protocol {url}. Known: {', '.join(_our_files())}; or give its folder."
        )
    if version not in ("", protocol.version):
        raise UnknownProtocolError(
            f"Version {version} of {protocol.id} is not here, {protocol.version} is; ask for that."
        )
    return protocol


def _only_plan_definition(folder: Path) -> Path:
    found = sorted(folder.glob(f"{PREFIX}*.json"))
    if len(found) != 1:
        raise UnknownProtocolError(
            f"{folder} holds {len(found)} files {PREFIX}*.json; "
            "name the file, or a folder with one."
        )
    return found[0].resolve()


def _load(path: Path) -> ClinicalProtocol:
    plan_definition = read_json(path)
    if plan_definition.get("resourceType") != "PlanDefinition":
        raise KnowledgeError(f"{path.name} is not a PlanDefinition; name another file.")
    package = ProtocolPackage(path.parent)
    libraries: list[str] = plan_definition.get("library", [])
    if len(libraries) != 1:
        raise UnsupportedError(
            f"{path.name} lists {len(libraries)} libraries; "
            "one is supported, which includes the others."
        )
    documents = package.elm(libraries[0])
    identifier = documents[0]["library"]["identifier"]
    compiled = load_libraries(documents)
    library = compiled[identifier["id"], identifier.get("version")]
    problems = contract_problems(plan_definition, documents, compiled)
    if problems:
        raise KnowledgeError(f"{plan_definition['id']} breaks its contract. {' '.join(problems)}")
    defines = {libraries[0]: frozenset(library.defines)}
    check_actions(plan_definition, defines)

    def activity(canonical: str) -> Resource:
        definition = package.resolve("ActivityDefinition", canonical)
        check_expressions(definition, defines)
        return definition

    return ClinicalProtocol(
        id=plan_definition["id"],
        version=plan_definition["version"],
        title=plan_definition["title"],
        plan_definition=plan_definition,
        activity_definitions=Lazy(_activities(plan_definition), activity),
        library=library,
        facts=next(key for key in compiled if key[0] == FACTS),
        criteria=criteria_of(documents[0]["library"], compiled),
        value_sets={each: _expansion(package, each) for each in sorted(library.value_sets)},
        resource_types=frozenset().union(*map(library.retrieved_types, library.defines)),
    )


def _activities(plan_definition: Resource) -> list[str]:
    found = (action.get("definitionCanonical") for action in walk_actions(plan_definition))
    return [canonical for canonical in found if canonical is not None]


def _expansion(package: ProtocolPackage, canonical: str) -> Expansion:
    contains = package.resolve("ValueSet", canonical).get("expansion", {}).get("contains")
    if not contains:
        raise KnowledgeError(f"ValueSet {canonical} has no expansion; build it (`make knowledge`).")
    return frozenset((each["system"], each["code"]) for each in contains)
