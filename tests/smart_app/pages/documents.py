"""What a FHIR server holds of a plan that went in as a document."""

from typing import Any

from ivfhir.servers.http import HttpRepository
from ivfhir.writing.document import DOCUMENT_SYSTEM


def documents_of(repository: HttpRepository, draft_id: str) -> list[dict[str, Any]]:
    """Return the documents of a draft, whatever their status."""
    query = {"identifier": f"{DOCUMENT_SYSTEM}|{draft_id}"}
    return repository.search("DocumentReference", query)
