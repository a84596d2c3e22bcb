"""The artefacts that protocols name by canonical, each read once; their libraries are one program.

A canonical is `url|version`, or `url` where any version will do.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import RLock
from typing import Any

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import ElmLibrary, LibraryKey
from ivfhir.expressions.elm.program import Program
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.overlay import Overlay
from ivfhir.knowledge.package import ProtocolPackage, read_json
from ivfhir.knowledge.thresholds import LIBRARY

Expansion = frozenset[tuple[str, str]]


class Registry:
    """Libraries and value sets of any number of protocols.

    A library is linked once, by name and version, whichever protocols use it; what cannot be
    linked leaves nothing behind, so that the other protocols go on.

    Args:
        overlay: the site's; None for none. Its numbers are in the program, so a registry has one.

    Attributes:
        program: all libraries.
        overlay: the site's.
    """

    def __init__(self, overlay: Overlay | None = None) -> None:
        """Begin with nothing read."""
        self.overlay = overlay
        given = {} if overlay is None else overlay.given()
        self.program = Program(given=given, closed=(LIBRARY,))
        self._read: dict[Path, Resource] = {}
        self._expansions: dict[str, Expansion] = {}
        self._lock = RLock()

    def package(self, folder: Path) -> ProtocolPackage:
        """Return the artefacts that a protocol's folder can name; a file is read once for all."""
        return ProtocolPackage(folder, read=self._read_once)

    def library(self, package: ProtocolPackage, canonical: str) -> ElmLibrary:
        """Return a library, linked with all that it includes.

        Raises:
            KnowledgeError: an ELM file is missing or of another version, or another library of that
                name and version is linked already.
            UnsupportedError: it uses an operator that the evaluator does not have.
        """
        with self._lock:
            documents = package.elm(canonical)
            self.program.link(documents)
        identifier = documents[0]["library"]["identifier"]
        return ElmLibrary(self.program, (identifier["id"], identifier.get("version")))

    def linked(self, documents: Iterable[Mapping[str, Any]]) -> dict[LibraryKey, ElmLibrary]:
        """Return the libraries of these ELM documents, in their order; they are linked already."""
        identifiers = (each["library"]["identifier"] for each in documents)
        keys = [(each["id"], each.get("version")) for each in identifiers]
        return {key: ElmLibrary(self.program, key) for key in keys}

    def expansions(self, package: ProtocolPackage, library: ElmLibrary) -> dict[str, Expansion]:
        """Return the codes of the value sets that a library uses; sessions find them from now on.

        Raises:
            KnowledgeError: a value set is missing or has no expansion, or another protocol has
                other codes under its canonical.
        """
        found = {each: _expansion(package, each) for each in sorted(library.value_sets)}
        with self._lock:
            for canonical, codes in found.items():
                if self._expansions.get(canonical, codes) != codes:
                    raise KnowledgeError(
                        f"There are two value sets {canonical}, and they differ; "
                        "give one of them another url or version."
                    )
            self._expansions |= found
            self.program.terminology.add(found)
        return found

    def _read_once(self, path: Path) -> Resource:
        if path not in self._read:
            self._read[path] = read_json(path)
        return self._read[path]


def _expansion(package: ProtocolPackage, canonical: str) -> Expansion:
    contains = package.resolve("ValueSet", canonical).get("expansion", {}).get("contains")
    if not contains:
        raise KnowledgeError(f"ValueSet {canonical} has no expansion; build it (`make knowledge`).")
    return frozenset((each["system"], each["code"]) for each in contains)
