"""What references of a resource name, as far as the input holds it."""

from collections import Counter
from collections.abc import Iterator

from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.references import absolute_reference, parse_literal
from ivfhir.fhir.types import BUNDLE, Json, Resource


class Targets:
    """Resources that are contained, or are entries of the Bundle (also of one inside it)."""

    def __init__(self, raw: Json) -> None:
        """Note the entries of the Bundle, where it is one."""
        rows = list(_entries(raw))
        self._by_url = {url: resource for url, resource in rows if url is not None}
        self._url_of = {id(resource): url for url, resource in rows}
        keys = [(f"{r.get('resourceType')}/{r.get('id')}", r) for _, r in rows]
        counts = Counter(key for key, _ in keys)
        self._by_key = {key: resource for key, resource in keys if counts[key] == 1}

    def resolve(self, text: str, root: Resource) -> Resource | None:
        """Return the resource that a reference names; None where it is not here.

        Args:
            text: of the reference.
            root: the resource that holds it; of a contained one the one that contains that.
        """
        if text[:1] == "#":
            return _contained(text[1:], root)
        bare = text.partition("/_history/")[0]
        absolute = absolute_reference(bare, self._url_of.get(id(root)))
        found = self._by_url.get(absolute) or self._by_url.get(text)
        return found or (self._by_key.get(bare) if absolute == bare else None)

    def type_of(self, text: str, root: Resource) -> str | None:
        """Return the type of what a reference names; None where that is not known."""
        target = self.resolve(text, root)
        if target is not None:
            name = target.get("resourceType")
        else:
            literal = parse_literal(text)
            name = literal.key.resource_type if literal is not None else None
        definition = definition_of(name) if isinstance(name, str) else None
        return name if definition is not None and definition.kind == "resource" else None


def contained_in(root: Resource) -> list[Resource]:
    """Return the resources that one contains."""
    inside = root.get("contained")
    return [each for each in inside if isinstance(each, dict)] if isinstance(inside, list) else []


def _contained(wanted: str, root: Resource) -> Resource | None:
    if not wanted:
        return root
    return next((each for each in contained_in(root) if each.get("id") == wanted), None)


def _entries(raw: Json) -> Iterator[tuple[str | None, Resource]]:
    """Yield address and resource of each entry, those of inner Bundles after their own."""
    left = [raw]
    while left:
        bundle = left.pop()
        if not isinstance(bundle, dict) or bundle.get("resourceType") != BUNDLE:
            continue
        entries = bundle.get("entry")
        for each in entries if isinstance(entries, list) else []:
            resource = each.get("resource") if isinstance(each, dict) else None
            if isinstance(resource, dict):
                url = each.get("fullUrl")
                yield (url if isinstance(url, str) else None), resource
                left.append(resource)
