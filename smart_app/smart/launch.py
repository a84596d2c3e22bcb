"""A launch, as pages and visits see it: who, which patient, which rights."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from ivfhir.expressions.values import DateTime
from ivfhir.parameters import parse_as_of
from ivfhir.servers.http import HttpRepository
from smart_app.services import AppServices
from smart_app.smart.scopes import GrantedScopes


@dataclass(frozen=True)
class Practitioner:
    """Who signed in: a reference that the EHR's server understands, and a name to show."""

    reference: str
    name: str


@dataclass(frozen=True, repr=False)
class Launch:
    """One launch, as the pages see it; its tokens are not in it but inside `repository`."""

    id: str
    ehr_name: str
    fhir_base: str
    patient_id: str
    practitioner: Practitioner | None
    scopes: GrantedScopes
    repository: HttpRepository
    csrf_token: str
    signed_in_at: int
    app: AppServices = field(compare=False)

    @property
    def granted_types(self) -> frozenset[str] | None:
        """The types that may be read in full, for `read_record`; None for every type."""
        return self.scopes.readable_types

    @property
    def partial_types(self) -> frozenset[str]:
        """The types granted in part only: not in `granted_types`."""
        return self.scopes.partial_types

    def can_write(self, resource_type: str) -> bool:
        """Tell whether the scopes let us create the type, and somebody is there to sign."""
        return self.practitioner is not None and self.scopes.may(resource_type, "c")

    def hindrances(self) -> list[str]:
        """Return why no plan can be signed, a sentence each; empty when one can."""
        if self.practitioner is not None:
            return []
        return [
            "The EHR did not say which practitioner you are, so no plan can be signed. Your EHR "
            "administrator can grant the app openid and fhirUser."
        ]

    def lacking(self, resource_types: Collection[str]) -> list[str]:
        """Return why a plan of these types cannot be written as such; empty when it can."""
        missing = sorted(name for name in resource_types if not self.scopes.may(name, "c"))
        if not missing:
            return []
        return [
            f"The EHR does not let the app create {', '.join(missing)}, which a plan is made of. "
            "Your EHR administrator can grant it."
        ]

    def may_sign(self) -> bool:
        """Tell whether the sign-in is recent enough to accept a plan with it."""
        most_s = self.app.settings.signing_minutes * 60
        return most_s == 0 or self.now().timestamp() - self.signed_in_at <= most_s

    def now(self) -> datetime:
        """Return the present moment, with its time zone."""
        return self.app.clock()

    def local(self, moment: datetime) -> datetime:
        """Return a moment in the site's time zone."""
        return moment.astimezone(ZoneInfo(self.app.settings.time_zone))

    def as_of(self) -> DateTime:
        """Return the present moment in the site's time zone, as the evaluation instant."""
        return parse_as_of(None, time_zone=self.app.settings.time_zone, now=self.now())

    def new_id(self) -> str:
        """Return a new id that cannot be guessed."""
        return self.app.new_id()
