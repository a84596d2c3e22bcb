"""One session a patient for all protocols, and what stays unknown in it because it was not read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from ivfhir.choices import with_single_choices
from ivfhir.expressions.elm import DefineKey, ElmLibrary, Session
from ivfhir.expressions.index import ResourceIndex
from ivfhir.knowledge.criteria import Criteria
from ivfhir.read import PatientRecord

Unread = Mapping[DefineKey, Mapping[str, str]]
"""Define of a criterion -> resource type -> why it could not be read."""


class Judged(Protocol):
    """What is evaluated: a protocol, or the rule of the route."""

    @property
    def library(self) -> ElmLibrary:
        """The one whose defines answer, compiled."""

    @property
    def libraries(self) -> Mapping[str, ElmLibrary]:
        """Every library that is asked, by canonical."""

    @property
    def criteria(self) -> Criteria:
        """Its criteria -> the FHIR types that each needs."""

    @property
    def base_criteria(self) -> Criteria:
        """The same of the protocols that it rests on."""


NOTHING: Unread = MappingProxyType({})


@dataclass(frozen=True)
class Sitting:
    """A protocol's part of the patient's session.

    Attributes:
        session: the protocol's; its facts are shared with the protocols beside it.
        unread: the criteria that are unknown since a type that they need could not be read.
    """

    session: Session
    unread: Unread


def open_sittings(
    protocols: Sequence[Judged], record: PatientRecord, parameters: Mapping[str, object]
) -> list[Sitting]:
    """Return the sitting of each protocol; nothing of the patient is computed twice.

    A criterion that retrieves a type which could not be read to its end is UNKNOWN, whatever its
    other parts say (rule E-03). Where this would change an answer of another protocol, which asks
    for that criterion only as a part of its own, that protocol has a session of its own.

    Args:
        protocols: those that are evaluated.
        record: what was read.
        parameters: by name, the instant too; each reaches every library that declares it.

    Raises:
        ParameterError: a parameter is not declared, or its value is of the wrong type.
    """
    indexes = _indexes(protocols, record)
    if not record.unread:
        sessions = _sessions(protocols, indexes, parameters, {})
        return [Sitting(session, NOTHING) for session in sessions]
    unread = [_unread(protocol, record.unread) for protocol in protocols]
    own: list[dict[DefineKey, None]] = [dict.fromkeys(each) for each in unread]
    joint = dict.fromkeys(key for presets in own for key in presets)
    together = [
        protocol
        for protocol, presets in zip(protocols, own, strict=True)
        if joint.keys() & protocol.library.used_defines == presets.keys()
    ]
    shared = iter(_sessions(together, indexes, parameters, joint))
    return [
        Sitting(
            next(shared)
            if protocol in together
            else _sessions([protocol], indexes, parameters, presets)[0],
            why,
        )
        for protocol, presets, why in zip(protocols, own, unread, strict=True)
    ]


def _indexes(protocols: Sequence[Judged], record: PatientRecord) -> dict[int, ResourceIndex]:
    """Return an index of the record for each program, by its identity.

    An index keeps what value sets hold, and each program has value sets of its own.
    """
    patient = with_single_choices(record.patient)
    resources = tuple(map(with_single_choices, record.resources))
    programs = {id(protocol.library.program) for protocol in protocols}
    return {program: ResourceIndex(patient, resources) for program in programs}


def _sessions(
    protocols: Sequence[Judged],
    indexes: Mapping[int, ResourceIndex],
    parameters: Mapping[str, object],
    presets: Mapping[DefineKey, None],
) -> list[Session]:
    """Return a session a protocol; those of one program share what they compute."""
    begun: dict[int, Session] = {}
    for protocol in protocols:
        program = protocol.library.program
        if id(program) not in begun:
            libraries = [
                library
                for each in protocols
                if each.library.program is program
                for library in each.libraries.values()
            ]
            own = {key: value for key, value in presets.items() if key in program.defines}
            begun[id(program)] = protocol.library.session(
                indexes[id(program)], parameters=parameters, preset=own, beside=libraries
            )
    return [begun[id(each.library.program)].of(each.library.key) for each in protocols]


def _unread(protocol: Judged, unread: Mapping[str, str]) -> Unread:
    """Return define -> type -> why it could not be read, for the criteria that need such a type."""
    needs = {**protocol.base_criteria, **protocol.criteria}
    found = {
        define: {kind: unread[kind] for kind in sorted(unread.keys() & needed)}
        for define, needed in needs.items()
    }
    return {define: why for define, why in found.items() if why}
