"""What every request of the app needs, made once by `create_app()`."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from flask import current_app, g, has_app_context
from structlog.typing import FilteringBoundLogger

from ivfhir.errors import BadAnswerError, BusyError, InputError, ServerError, UnauthorisedError
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import BrokenRoute, RouteRule, load_route
from ivfhir.servers.http import HttpRepository
from ivfhir.servers.limits import MEBIBYTE, Limits
from ivfhir.servers.transport import trusting_session
from ivfhir.shape import check_shape
from ivfhir.sync.ladder import Means, read_means
from ivfhir.sync.profiles import profile_of
from ivfhir.sync.servers import Connector
from ivfhir.writing.capabilities import WriteSupport, read_write_support, says_create
from smart_app.config import Settings
from smart_app.metrics import Metrics
from smart_app.sealing import Sealer
from smart_app.smart.answer_cache import AnswerCache, Fresh
from smart_app.smart.discovery import SmartConfiguration, discover
from smart_app.smart.http import EhrHttp
from smart_app.smart.scopes import AUDIT_EVENT
from smart_app.smart.signing_keys import SigningKeys
from smart_app.smart.turns import Turn, Turns, shares_of
from smart_app.store import Store

_PLAN_TYPES = frozenset({"CarePlan", "RequestGroup", "Goal", "Provenance"})
"""What every accepted plan is made of, beside the requests."""

_VALUES_A_MEBIBYTE = 60_000
"""Objects, lists and members of real records; text that is nothing else has ten times as many."""


@dataclass(frozen=True)
class ServerSays:
    """What an EHR's CapabilityStatement says of that which the app writes.

    Attributes:
        of_plans: id of each protocol -> what is said of the types that its plans are made of.
        takes_audit_events: whether it says that AuditEvents can be created.
        means: what it offers to a writer.
    """

    of_plans: Mapping[str, WriteSupport]
    takes_audit_events: bool
    means: Means


@dataclass
class AppServices:
    """The app's settings, database, knowledge, clock and ways out."""

    settings: Settings
    store: Store
    sealer: Sealer
    http: EhrHttp
    log: FilteringBoundLogger
    metrics: Metrics
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    load_protocols: Callable[[Registry], Mapping[str, ClinicalProtocol | BrokenProtocol]]
    pause: Callable[[float], None] = time.sleep
    registry: Registry = field(default_factory=Registry)
    random: Callable[[], float] = random.random
    backend_services: dict[str, Connector] = field(default_factory=dict)
    backend_again_s: dict[str, float] = field(default_factory=dict)
    """EHR whose backend service was not granted enough -> seconds since 1970 of the next try."""
    turns: Turns = field(init=False)
    configurations: AnswerCache[SmartConfiguration] = field(init=False)
    statements: AnswerCache[ServerSays] = field(init=False)
    signing_keys: SigningKeys = field(init=False)

    def __post_init__(self) -> None:
        """Begin with every turn free and nothing kept."""
        shares = shares_of(self.settings.threads, calling=self.settings.ehr_parallel)
        self.turns = Turns(shares)
        kept_s = self.settings.ehr_cache_s
        self.configurations = AnswerCache(clock_s=self._now_s, default_s=kept_s)
        self.statements = AnswerCache(clock_s=self._now_s, default_s=kept_s)
        self.signing_keys = SigningKeys(
            self.http,
            clock_s=self._now_s,
            default_s=kept_s,
            allow_http=self.settings.allow_http,
        )

    def _now_s(self) -> float:
        return self.clock().timestamp()

    @cached_property
    def every_protocol(self) -> Mapping[str, ClinicalProtocol | BrokenProtocol]:
        """The protocols by id, loaded at their first use; what is broken is in its place."""
        return self.load_protocols(self.registry)

    @cached_property
    def route(self) -> RouteRule | BrokenRoute | None:
        """The rule of the route, of one program with the protocols; None where there is none."""
        return load_route(self.registry)

    @cached_property
    def protocols(self) -> Mapping[str, ClinicalProtocol]:
        """The protocols by id that could be loaded."""
        every = self.every_protocol.items()
        return {name: each for name, each in every if isinstance(each, ClinicalProtocol)}

    @property
    def read_types(self) -> frozenset[str]:
        """The resource types that the protocols need, and the patient."""
        of_route = self.route.resource_types if isinstance(self.route, RouteRule) else ()
        return frozenset({"Patient"}).union(
            of_route, *(protocol.resource_types for protocol in self.protocols.values())
        )

    @cached_property
    def write_types_of(self) -> Mapping[str, frozenset[str]]:
        """Id of each protocol -> the resource types that an accepted plan of it creates."""
        return {
            name: _PLAN_TYPES.union(
                str(activity["kind"]) for activity in protocol.activity_definitions.values()
            )
            for name, protocol in self.protocols.items()
        }

    @property
    def write_types(self) -> frozenset[str]:
        """The resource types that accepted plans of the protocols create."""
        return _PLAN_TYPES.union(*self.write_types_of.values())

    def repository(
        self,
        fhir_base: str,
        access_token: str,
        *,
        renew: Callable[[str], str | None] | None = None,
        writing: bool = False,
        most_s: int | None = None,
    ) -> HttpRepository:
        """Return the EHR's FHIR server, spoken to with the token, for one request of ours.

        Args:
            fhir_base: its base URL.
            access_token: the token.
            renew: gives another token for one that the server refuses.
            writing: the request writes: it may take longer.
            most_s: seconds that all answers may take together, where it is not a page that waits.
        """
        settings = self.settings
        session = trusting_session(settings.ca_file)
        self.metrics.watch_session(session)
        return HttpRepository(
            fhir_base,
            token=access_token,
            read_timeout_s=settings.timeout_s,
            session=session,
            sleep=self.pause,
            limits=Limits(
                total_s=most_s
                or (settings.write_timeout_s if writing else settings.page_timeout_s),
                answer_bytes=settings.answer_mib * MEBIBYTE,
                total_bytes=settings.read_mib * MEBIBYTE,
                values=settings.read_mib * _VALUES_A_MEBIBYTE,
                pages=settings.read_pages,
                entries=settings.read_entries,
            ),
            renew=renew,
            before=lambda: self.take_turn(fhir_base),
        )

    def take_turn(self, iss: str) -> None:
        """Take a turn with an EHR for the current request, which gives it back at its end.

        Raises:
            BusyError: too many others wait for this EHR.
        """
        if has_app_context() and "turn" not in g:
            g.turn = self.turns.take(iss.rstrip("/"))

    def configuration_of(self, iss: str) -> SmartConfiguration:
        """Return the SMART configuration of an EHR, asked for when none is kept.

        Raises:
            LaunchError: it cannot be had, or not be trusted.
            ServerError: the EHR does not answer.
        """

        def ask(etag: str | None) -> Fresh[SmartConfiguration]:
            self.take_turn(iss)
            return discover(iss, self.http, allow_http=self.settings.allow_http, etag=etag)

        return self.configurations.get(iss, ask)

    def server_says(self, fhir_base: str, repository: HttpRepository) -> ServerSays:
        """Return what an EHR's server says about writing, asked for when nothing is kept.

        A page asks once, also of an EHR that lets nothing be kept, or fails: each of its sentences
        stands on the same answer.

        Raises:
            ServerError: the server does not say.
        """
        held: dict[str, ServerSays | ServerError]
        held = g.setdefault("server_says", {}) if has_app_context() else {}
        base = fhir_base.rstrip("/")
        if base not in held:
            try:
                held[base] = self._ask_server(base, repository)
            except (UnauthorisedError, BusyError):
                raise
            except ServerError as error:
                held[base] = error
        says = held[base]
        if isinstance(says, ServerError):
            raise says
        return says

    def _ask_server(self, fhir_base: str, repository: HttpRepository) -> ServerSays:
        def ask(etag: str | None) -> Fresh[ServerSays]:
            told = repository.statement(etag=etag)
            says = None if told.resource is None else self._read_statement(told.resource)
            return Fresh(says, told.headers)

        return self.statements.get(fhir_base, ask)

    def _read_statement(self, statement: Resource) -> ServerSays:
        try:
            check_shape(statement)
        except InputError as error:
            raise BadAnswerError(error.message) from error
        return ServerSays(
            of_plans={
                name: read_write_support(statement, types)
                for name, types in self.write_types_of.items()
            },
            takes_audit_events=says_create(statement, AUDIT_EVENT),
            means=read_means(statement, profile_of(statement)),
        )


def give_back_turn(_error: BaseException | None = None) -> None:
    """Give the current request's turn back, at its end."""
    turn: Turn | None = g.pop("turn", None)
    if turn is not None:
        turn.give_back()


def services() -> AppServices:
    """Return the services of the current app."""
    found: AppServices = current_app.extensions["ivfhir"]
    return found
