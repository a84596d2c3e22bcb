"""The port for FHIR servers, worded like the REST API; adapters stand in `ivfhir.servers`."""

from collections.abc import Mapping
from typing import Protocol

from ivfhir.fhir.types import Resource


class Repository(Protocol):
    """A place that holds FHIR resources.

    Every method raises a subclass of `ivfhir.errors.ServerError` when the place cannot do as asked.
    """

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the resource, as stored.

        Raises:
            NotFoundError: there is none of that type and id.
        """
        ...

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match, all pages read to the last.

        Raises:
            ServerError: any page failed: a part of an answer is never returned as the whole.
        """
        ...

    def transact(self, bundle: Resource) -> Resource:
        """Send a transaction Bundle and return the transaction-response."""
        ...

    def operation(self, path: str, parameters: Resource) -> Resource:
        """POST a resource to `[base]/path`, such as `Library/LUNG/$evaluate`; return the answer."""
        ...

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""
        ...
