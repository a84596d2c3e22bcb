"""Documents of earlier plans: which count, and how they end."""

import pytest

from ivfhir.errors import (
    RejectedError,
    ThrottledError,
    TokenRenewedError,
    UnreachableError,
    VersionConflictError,
)
from ivfhir.servers.memory import MemoryRepository
from ivfhir.writing.document import DOCUMENT_SYSTEM
from ivfhir.writing.earlier_documents import (
    CHANGED,
    NOT_ALLOWED,
    REFUSED,
    UNCHANGED,
    UNCLEAR,
    UNREAD,
    EndedDocument,
    current_documents,
    end_documents,
)

PROTOCOL = "https://example.org/PlanDefinition/P"
REFERENCE = "DocumentReference/old"


def document(**changed):
    related = [{"identifier": {"system": "urn:ietf:rfc:3986", "value": f"{PROTOCOL}|1.0"}}]
    return {
        "resourceType": "DocumentReference",
        "id": "old",
        "meta": {"versionId": "1"},
        "identifier": [{"system": DOCUMENT_SYSTEM, "value": "plan-1"}],
        "status": "current",
        "subject": {"reference": "Patient/p"},
        "content": [{"attachment": {"title": "Plan"}}],
        "context": {"related": related},
        **changed,
    }


class Server(MemoryRepository):
    """Brings everything whatever is asked for, as some servers do; takes what `transact` puts."""

    def __init__(self, *resources, fails=None, keeps=False):
        super().__init__(resources)
        self.kept = {each["id"]: each for each in resources}
        self.fails, self.keeps = fails, keeps

    def search(self, resource_type, params):
        return list(self.kept.values())

    def read(self, resource_type, resource_id):
        if resource_id not in self.kept:
            raise RejectedError("Not for you.", status=403)
        return self.kept[resource_id]

    def transact(self, bundle):
        if self.fails is not None:
            raise self.fails
        (entry,) = bundle["entry"]
        assert entry["request"] == {"method": "PUT", "url": REFERENCE, "ifMatch": 'W/"1"'}
        assert entry["resource"]["content"]  # Nothing of it is lost.
        if not self.keeps:
            self.kept["old"] = entry["resource"]
        return {}


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({}, True),
        ({"status": "superseded"}, False),
        ({"identifier": [{"system": "https://other.example", "value": "plan-1"}]}, False),
        ({"subject": {"reference": "Patient/other"}}, False),
        ({"context": {}}, False),
    ],
)
def test_only_current_documents_of_the_patients_plans_of_the_protocol_count(changed, counts):
    found = current_documents(Server(document(**changed)), "Patient/p", {PROTOCOL})
    assert [each["id"] for each in found] == (["old"] if counts else [])


@pytest.mark.parametrize(
    ("server", "version", "may", "status", "why"),
    [
        (Server(document()), "1", True, "superseded", ""),
        (Server(document(status="superseded")), "0", False, "superseded", ""),
        (Server(document(status="entered-in-error")), "1", True, "entered-in-error", ""),
        (Server(document()), "0", True, "current", CHANGED),
        (Server(document()), "1", False, "current", NOT_ALLOWED),
        (Server(), "1", True, "", UNREAD),
        (Server(document(), fails=RejectedError("No.", status=422)), "1", True, "current", REFUSED),
        (Server(document(), fails=UnreachableError("No.")), "1", True, "current", UNCLEAR),
        (Server(document(), fails=ThrottledError("No.")), "1", True, "current", UNCLEAR),
        (
            Server(document(), fails=TokenRenewedError("No.", status=401)),
            "1",
            True,
            "current",
            UNCLEAR,
        ),
        (
            Server(document(), fails=VersionConflictError("No.", status=409)),
            "1",
            True,
            "current",
            UNCLEAR,
        ),
        (Server(document(), keeps=True), "1", True, "current", UNCHANGED),
    ],
)
def test_each_is_ended_or_told_why_not(server, version, may, status, why):
    older = [{"reference": REFERENCE, "version": version}]
    (told,) = end_documents(server, older, may_update=may)
    assert told == EndedDocument(REFERENCE, status, why)
