"""Load protocols: the PlanDefinition, its compiled library, its value sets and its activities."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from ivfhir.errors import KnowledgeError, UnknownProtocolError
from ivfhir.expressions.elm import DefineKey, ElmLibrary, LibraryKey, ParameterInfo
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.actions import check_actions, check_expressions, walk_actions
from ivfhir.knowledge.contract import FACTS, contract_problems
from ivfhir.knowledge.criteria import Criteria, criteria_of
from ivfhir.knowledge.overlay import Overlay
from ivfhir.knowledge.package import NO_PROTOCOLS, knowledge_root, read_json
from ivfhir.knowledge.parameters import (
    ProtocolChoice,
    ProtocolParameter,
    is_bound,
    read_choices,
    read_parameters,
)
from ivfhir.knowledge.registry import Expansion, Registry

T = TypeVar("T")
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
        library: the one with its criteria, status and gates, compiled.
        libraries: canonical of each library of the plan, as it lists them -> it, compiled.
        facts: the library of the facts that it includes.
        criteria: the define of each criterion, in order -> the FHIR types that it needs.
        base_criteria: the same of the protocols that it rests on.
        derived: those of its criteria that follow from criteria of these.
        value_sets: canonical of each value set that they use -> its codes (system, code).
        resource_types: FHIR types that any of its defines retrieves.
        parameters: the whole numbers that the clinician may choose, as its Questionnaire says them.
        choices: the words that the clinician chooses from: a mode, a site, a base.
        overlay: the site's that applies to it; None for none.
    """

    id: str
    version: str
    title: str
    plan_definition: Resource
    activity_definitions: Mapping[str, Resource]
    library: ElmLibrary
    libraries: Mapping[str, ElmLibrary]
    facts: LibraryKey
    criteria: Criteria
    base_criteria: Criteria
    derived: frozenset[DefineKey]
    value_sets: Mapping[str, Expansion]
    resource_types: frozenset[str]
    parameters: tuple[ProtocolParameter, ...] = ()
    choices: tuple[ProtocolChoice, ...] = ()
    overlay: Overlay | None = None

    @cached_property
    def declared(self) -> Mapping[str, ParameterInfo]:
        """The parameters that its own libraries declare, by name: not those of its bases."""
        every = [self.library, *self.libraries.values()]
        return {
            name: info
            for each in every
            for name, info in each.own_parameters.items()
            if not is_bound(name)
        }


@dataclass(frozen=True)
class BrokenProtocol:
    """A protocol that cannot be loaded.

    Attributes:
        id: its short name.
        version: its version; None where its file cannot be read.
        title: for people; its id where its file cannot be read.
        error: why, and what to do.
        overlay: the site's that would apply to it; None for none.
    """

    id: str
    version: str | None
    title: str
    error: KnowledgeError
    overlay: Overlay | None = None


def load_protocols(
    registry: Registry | None = None,
) -> Mapping[str, ClinicalProtocol | BrokenProtocol]:
    """Return our protocols by id, sorted by folder; each is loaded when first asked for.

    They share one program. One that is broken is in its place, and stops no other.

    Args:
        registry: what was loaded before, to share the program with; None for nothing.
    """
    files, registry = _our_files(), registry or Registry()
    return Lazy(files, lambda name: _load_or_say(files[name], registry))


def load_asked(
    references: Iterable[str], registry: Registry | None = None
) -> list[ClinicalProtocol | BrokenProtocol]:
    """Return protocols, each once, that share one program; what is broken is in its place.

    Args:
        references: as for `load_protocol`.
        registry: what was loaded before, to share the program with; None for nothing.

    Raises:
        UnknownProtocolError: there is none of such a name.
    """
    registry = registry or Registry()
    paths = dict.fromkeys(find_plan_definition(each) for each in references)
    return [_load_or_say(path, registry) for path in paths]


def load_protocol(reference: str | Path, overlay: Overlay | None = None) -> ClinicalProtocol:
    """Return one protocol.

    Args:
        reference: a protocol id (`LUNG`), a canonical `url|version` or `url`, a PlanDefinition's
            file, or a folder that holds one.
        overlay: the site's; None for none.

    Raises:
        UnknownProtocolError: there is none of that name.
        KnowledgeError: it cannot be loaded.
    """
    return _load(find_plan_definition(reference), Registry(overlay))


def find_plan_definition(reference: str | Path) -> Path:
    """Return the file of a protocol's PlanDefinition.

    Args:
        reference: a protocol id (`LUNG`), a canonical `url|version` or `url`, a PlanDefinition's
            file, or a folder that holds one.

    Raises:
        UnknownProtocolError: there is none of that name.
        KnowledgeError: what a canonical names cannot be read.
    """
    files = _our_files()
    if isinstance(reference, str):
        if reference in files:
            return files[reference]
        url = reference.partition("|")[0]
        if url.startswith(("http://", "https://", "urn:")):
            return _by_canonical(reference)
    path = Path(reference)
    if path.is_dir():
        return _only_plan_definition(path)
    if path.is_file():
        return path.resolve()
    raise UnknownProtocolError(
        f"There is no protocol '{reference}'. Known: {', '.join(files)}. "
        "Give an id, a canonical url|version, a PlanDefinition's file or its folder."
    )


def _our_files() -> dict[str, Path]:
    paths = sorted(knowledge_root().glob(f"*/{PREFIX}*.json"))
    return {
        path.stem.removeprefix(PREFIX): path
        for path in paths
        if path.parent.name not in NO_PROTOCOLS
    }


def _by_canonical(canonical: str) -> Path:
    url, _, version = canonical.partition("|")
    path = _our_files().get(url.rpartition("/")[2])
    found = read_json(path) if path is not None else {}
    if path is None or found.get("url") != url:
        raise UnknownProtocolError(
            f"There is no protocol {url}. Known: {', '.join(_our_files())}; or give its folder."
        )
    if version not in ("", found.get("version")):
        raise UnknownProtocolError(
            f"Version {version} of {found.get('id')} is not here, {found.get('version')} is; "
            "ask for that."
        )
    return path


def _only_plan_definition(folder: Path) -> Path:
    found = sorted(folder.glob(f"{PREFIX}*.json"))
    if len(found) != 1:
        raise UnknownProtocolError(
            f"{folder} holds {len(found)} files {PREFIX}*.json; "
            "name the file, or a folder with one."
        )
    return found[0].resolve()


def _load_or_say(path: Path, registry: Registry) -> ClinicalProtocol | BrokenProtocol:
    """Return a protocol, or why it cannot be loaded."""
    try:
        return _load(path, registry)
    except KnowledgeError as error:
        said: Resource = {}
        with suppress(KnowledgeError):
            said = read_json(path)
        name = str(said.get("id") or path.stem.removeprefix(PREFIX))
        version = said.get("version")
        return BrokenProtocol(
            id=name,
            version=None if version is None else str(version),
            title=str(said.get("title") or name),
            error=error,
            overlay=registry.overlay,
        )


def _load(path: Path, registry: Registry) -> ClinicalProtocol:
    plan_definition = read_json(path)
    if plan_definition.get("resourceType") != "PlanDefinition":
        raise KnowledgeError(f"{path.name} is not a PlanDefinition; name another file.")
    for name in ("id", "url", "version", "title", "library"):
        if not plan_definition.get(name):
            raise KnowledgeError(f"{path.name} has no {name}; add it.")
    package = registry.package(path.parent)
    libraries = {each: registry.library(package, each) for each in plan_definition["library"]}
    defines = {each: frozenset(library.defines) for each, library in libraries.items()}
    canonical, library = _own(plan_definition, libraries)
    documents = package.elm(canonical)
    compiled = registry.linked(documents)
    if registry.overlay is not None:
        registry.overlay.check_fits(documents)
    problems = contract_problems(plan_definition, documents, compiled)
    if problems:
        raise KnowledgeError(f"{plan_definition['id']} breaks its contract. {' '.join(problems)}")
    check_actions(plan_definition, defines)
    criteria, base_criteria = criteria_of(documents, compiled)
    value_sets: dict[str, Expansion] = {}
    facts = next(key for key in compiled if key[0] == FACTS)
    # All of the facts: a dose asks for some that no criterion of the protocol does.
    for each in (*libraries.values(), compiled[facts]):
        value_sets |= registry.expansions(package, each)

    overlay = registry.overlay
    form = _form(path.with_name(f"Questionnaire-{plan_definition['id']}-parameters.json"))

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
        libraries=libraries,
        facts=facts,
        criteria=criteria,
        base_criteria=base_criteria,
        derived=frozenset(
            (key, name)
            for key, name in criteria
            if compiled[key].called_by(name) & base_criteria.keys()
        ),
        value_sets=value_sets,
        resource_types=frozenset(
            kind
            for library in libraries.values()
            for define in library.defines
            for kind in library.retrieved_types(define)
        ),
        parameters=tuple(
            each if overlay is None else overlay.parameter(plan_definition["id"], each)
            for each in read_parameters(form)
        ),
        choices=read_choices(form),
        overlay=overlay,
    )


def _own(plan_definition: Resource, libraries: Mapping[str, ElmLibrary]) -> tuple[str, ElmLibrary]:
    """Return canonical and library named as the plan; the first where none is."""
    every = list(libraries.items())
    named = plan_definition.get("name")
    return next((each for each in every if each[1].name == named), every[0])


def _form(questionnaire: Path) -> Resource:
    """Return the Questionnaire of the parameters; an empty one where there are none."""
    return read_json(questionnaire) if questionnaire.is_file() else {}


def _activities(plan_definition: Resource) -> list[str]:
    found = (action.get("definitionCanonical") for action in walk_actions(plan_definition))
    return [canonical for canonical in found if canonical is not None]
