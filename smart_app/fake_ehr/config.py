"""What a simulated EHR is set up with."""

from dataclasses import dataclass, field

from ivfhir.errors import SettingsError
from smart_app.urls import is_trustworthy, origin_of


@dataclass(frozen=True)
class Client:
    """A registered app.

    Args:
        client_id: its id.
        redirect_uri: where it takes its answers, compared to the letter.
        launch_url: where its launch button leads.
        client_secret: of a confidential client; None for a public one.
        jwks: public keys of a confidential client that signs instead.
    """

    client_id: str
    redirect_uri: str
    launch_url: str
    client_secret: str | None = field(default=None, repr=False)
    jwks: dict[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FakeEhrSettings:
    """A simulated EHR.

    Args:
        public_url: where browsers and apps reach it, without a path.
        fhir_upstream: base URL of the FHIR server behind it.
        clients: the registered apps; the launch button opens the first.
        practitioner: id of the Practitioner who is signed in.
        practitioner_name: their name.
        colleague: id of another Practitioner, who may sign in instead.
        colleague_name: their name.
        token_life_s: seconds that an access token lives.
        refresh_life_s: seconds that a refresh token lives.
        version_1: know only the scopes of SMART's first version (`patient/*.read`).
        audit: let apps create AuditEvents: the scope is named and granted.
        documents_only: let apps create DocumentReferences and nothing else of a plan.
        care_plans_only: let apps create and change CarePlans and nothing else of a plan.
        transactions: take transactions and batches, and say so.

    Raises:
        SettingsError: an address cannot be meant.
    """

    public_url: str
    fhir_upstream: str
    clients: tuple[Client, ...]
    practitioner: str = "vance"
    practitioner_name: str = "Dr Imogen Vance"
    colleague: str = "okafor"
    colleague_name: str = "Dr Chidi Okafor"
    token_life_s: int = 300
    refresh_life_s: int = 43_200
    version_1: bool = False
    audit: bool = False
    documents_only: bool = False
    care_plans_only: bool = False
    transactions: bool = True

    def __post_init__(self) -> None:
        """Refuse addresses that cannot be meant."""
        if origin_of(self.public_url) != self.public_url:
            raise SettingsError("The simulated EHR's address must be scheme, host and port alone.")
        if not is_trustworthy(self.fhir_upstream) and not self.fhir_upstream.startswith("http://"):
            raise SettingsError("The FHIR server's address must be an http or https URL.")

    @property
    def iss(self) -> str:
        """The FHIR base URL that apps see; it is also the issuer of identity."""
        return f"{self.public_url}/fhir"

    @property
    def users(self) -> dict[str, str]:
        """The names of who may sign in, by id."""
        return {
            self.practitioner: self.practitioner_name,
            self.colleague: self.colleague_name,
        }

    def client(self, client_id: str) -> Client | None:
        """Return the registered app of that id, None when there is none."""
        return next((client for client in self.clients if client.client_id == client_id), None)
