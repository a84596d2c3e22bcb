"""Documents of a patient and protocol that several writers sent at the same moment: one stays.

As of plans (`ivfhir.sync.race`): the one that stays is the one that would be current had they been
sent one after the other.
"""

from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import DOCUMENT_REFERENCE, Resource
from ivfhir.repository import Repository
from ivfhir.sync.documents import is_over
from ivfhir.sync.ladder import Means
from ivfhir.sync.race import Race, latest
from ivfhir.writing.document_rivals import document_rank, documents_beside, end_others
from ivfhir.writing.earlier_documents import FINAL, is_current


def settle_document_race(
    repository: Repository, own: str, *, means: Means, shown: bool = True, again: bool = False
) -> Race | None:
    """Leave one of the current documents of a protocol that were sent at the same time.

    Args:
        repository: the server.
        own: reference of the document that was just sent.
        means: what may be written there.
        shown: whether the search must show the document itself, where that is current.
        again: it was read back by an earlier run: if it has ended since, that was no race.

    Returns:
        What became of them; None when there was no other.

    Raises:
        NotShownError: it must be shown and is not.
        ServerError: the documents could not be looked for.
    """
    document = repository.read(DOCUMENT_REFERENCE, own.partition("/")[2])
    was_current = is_current(document)
    beside = documents_beside(repository, document, shown=shown and was_current)
    others = [each for each in beside if not is_over(each)]
    if not others or is_over(document) or (again and not was_current):
        return None
    current = [document, *others] if was_current else others
    stays = _last_of(current)
    ending = [each for each in current if each is not stays]
    may = means.may_update(DOCUMENT_REFERENCE)
    gone, left = end_others(repository, ending, may_update=may)
    return Race(reference_of(stays), (*([] if was_current else [own]), *gone), left)


def _last_of(documents: list[Resource]) -> Resource:
    """Return the one that would be current had these been sent one after the other, in any order.

    One of an accepted plan before a preliminary one, then the one that was surely made later; where
    none was, the one that the server stored first.
    """
    final = [each for each in documents if each.get("docStatus") in FINAL]
    return latest(final or documents, made="date", rank=document_rank)
