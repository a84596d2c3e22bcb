"""What every request of the app needs, made once by `create_app()`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import requests
from flask import current_app
from structlog.typing import FilteringBoundLogger

from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.servers.http import HttpRepository
from smart_app.config import Settings
from smart_app.http import EhrHttp
from smart_app.metrics import Metrics
from smart_app.sealing import Sealer
from smart_app.store import Store

_PLAN_TYPES = frozenset({"CarePlan", "RequestGroup", "Goal", "Provenance"})
"""What every accepted plan is made of, beside the requests."""


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
    load_protocols: Callable[[], Mapping[str, ClinicalProtocol]]

    @cached_property
    def protocols(self) -> Mapping[str, ClinicalProtocol]:
        """The protocols by id, loaded at their first use."""
        return self.load_protocols()

    @property
    def read_types(self) -> frozenset[str]:
        """The resource types that the protocols need, and the patient."""
        return frozenset({"Patient"}).union(
            *(protocol.resource_types for protocol in self.protocols.values())
        )

    @property
    def write_types(self) -> frozenset[str]:
        """The resource types that accepted plans of the protocols create."""
        return _PLAN_TYPES.union(
            str(activity["kind"])
            for protocol in self.protocols.values()
            for activity in protocol.activity_definitions.values()
        )

    def repository(self, fhir_base: str, access_token: str) -> HttpRepository:
        """Return the EHR's FHIR server, spoken to with the token."""
        session = requests.Session()
        self.metrics.watch_session(session)
        if self.settings.ca_file is not None:
            session.verify = self.settings.ca_file
            session.trust_env = False  # REQUESTS_CA_BUNDLE would replace the app's own setting.
        return HttpRepository(
            fhir_base,
            token=access_token,
            read_timeout_s=self.settings.timeout_s,
            session=session,
        )


def services() -> AppServices:
    """Return the services of the current app."""
    found: AppServices = current_app.extensions["ivfhir"]
    return found
