"""What references of an input name, as far as the input holds it.

http://hl7.org/fhir/R4/references.html, http://hl7.org/fhir/R4/bundle.html#references
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from ivfhir.fhir.r4 import is_resource
from ivfhir.fhir.references import absolute_reference, parse_literal
from ivfhir.fhir.typed import objects_in, text_in
from ivfhir.fhir.types import BUNDLE, Json, Resource

Row = tuple[str | None, Resource]
"""The fullUrl of an entry, and its resource."""
HISTORY = "/_history/"


class Targets:
    """Resources that others contain, or that are entries of the Bundle or of one inside it.

    Attributes:
        is_bundle: whether the input is a Bundle.
    """

    def __init__(self, raw: Json) -> None:
        """Note the entries of the Bundle, where it is one; nothing of it is changed."""
        bundles = [list(_rows(bundle)) for bundle in _bundles(raw)]
        self.is_bundle = bool(bundles)
        self._all = _Entries([row for rows in bundles for row in rows])
        self._own: dict[int, _Entries] = {}
        self._url_of: dict[int, str | None] = {}
        for rows in bundles:
            entries = self._all if len(bundles) == 1 else _Entries(rows)
            for url, resource in rows:
                self._own[id(resource)] = entries
                self._url_of[id(resource)] = url
        self._inside: dict[int, dict[str, Resource]] = {}

    def has(self, url: str) -> bool:
        """Return whether an entry has that fullUrl."""
        return url in self._all.by_url

    def resolve(self, text: str, root: Resource | None) -> Resource | None:
        """Return the resource that a reference names; None where it is not here, or not one alone.

        An entry of the own Bundle goes before those of others. A relative reference is made
        absolute by the address of the entry that holds it; where that finds nothing, type and id
        must fit one entry alone, and none of another server.

        Args:
            text: of the reference.
            root: the resource that holds it; of a contained one the one that contains that. None
                where it is not known.
        """
        if text[:1] == "#":
            return root if root is None or text == "#" else self._inside_of(root).get(text[1:])
        full_url = self._url_of.get(id(root))
        own = self._own.get(id(root), self._all).find(text, full_url)
        return self._all.find(text, full_url) if own is None else own

    def type_of(self, text: str, root: Resource) -> str | None:
        """Return the type of what a reference names; None where that is not known."""
        target = self.resolve(text, root)
        if target is not None:
            name = target.get("resourceType")
        else:
            literal = parse_literal(text)
            name = literal.key.resource_type if literal is not None else None
        return name if isinstance(name, str) and is_resource(name) else None

    def is_inside(self, resource: Resource, root: Resource) -> bool:
        """Return whether a resource is one that another contains under an id."""
        name = resource.get("id")
        return isinstance(name, str) and self._inside_of(root).get(name) is resource

    def _inside_of(self, root: Resource) -> dict[str, Resource]:
        """Return what a resource contains, by id; of two with one id the first."""
        if id(root) not in self._inside:
            inside = objects_in(root, "contained")
            named = [each for each in inside if text_in(each, "id") is not None]
            self._inside[id(root)] = {each["id"]: each for each in reversed(named)}
        return self._inside[id(root)]


class _Entries:
    """Entries, by address and by type and id."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.by_url: defaultdict[str, list[Resource]] = defaultdict(list)
        self._by_key: defaultdict[str, list[Row]] = defaultdict(list)
        for url, resource in rows:
            if url is not None:
                self.by_url[url].append(resource)
            self._by_key[f"{resource.get('resourceType')}/{resource.get('id')}"].append(
                (url, resource)
            )

    def find(self, text: str, full_url: str | None) -> Resource | None:
        """Return the one resource that a reference from an address names."""
        bare, _, version = text.partition(HISTORY)
        absolute = absolute_reference(bare, full_url)
        found = self.by_url.get(absolute) or self.by_url.get(text)
        if not found:
            alike = self._by_key.get(bare, ())
            found = [each for url, each in alike if absolute == bare or not _has_base(url)]
        if version:
            found = [each for each in found if _version_of(each) in (None, version)]
        return found[0] if len(found) == 1 else None


def _has_base(url: str | None) -> bool:
    literal = parse_literal(url) if url is not None else None
    return literal is not None and bool(literal.base)


def _version_of(resource: Resource) -> Json:
    meta = resource.get("meta")
    return meta.get("versionId") if isinstance(meta, dict) else None


def _bundles(raw: Json) -> Iterator[Resource]:
    """Yield a Bundle and those that are entries of it, or of one of these."""
    left = [raw]
    while left:
        bundle = left.pop()
        if isinstance(bundle, dict) and bundle.get("resourceType") == BUNDLE:
            yield bundle
            left += [resource for _, resource in _rows(bundle)]


def _rows(bundle: Resource) -> Iterator[Row]:
    for each in objects_in(bundle, "entry"):
        resource = each.get("resource")
        if isinstance(resource, dict):
            yield text_in(each, "fullUrl"), resource
