"""A differential on its base asks what the snapshot asks that HL7 made of it."""

import pytest

from ivfhir.packages import Found, Packages, open_package
from ivfhir.validation.profile.library import Profiles
from tests.servers.needs import need
from tools.r4 import source

SIMPLE = "http://hl7.org/fhir/StructureDefinition/SimpleQuantity"
"""R4's own elements have it; so it is asked of them as a rule, and of profiles' snapshots again."""
OTHERS = {
    "bp": "of value[x], where the differential says it of valueQuantity, its only choice; and each "
    "slice repeats what holds for all",
    "elementdefinition-de": "the definitions of two extensions are copied in",
}
"""How the snapshot says the same in another way."""


class Differentials(Packages):
    """Packages without snapshots."""

    def find(self, type_name, canonical):
        found = super().find(type_name, canonical)
        if found is None or "differential" not in found.resource:
            return found
        bare = {name: each for name, each in found.resource.items() if name != "snapshot"}
        return Found(bare, found.package, found.others)


@pytest.fixture(scope="module")
def package():
    need(source.missing_npm())
    return open_package(source.fetch())


def asked(check):
    """Return what is asked of elements, by their way, as far as it matters."""
    found = {}
    left = [("", check)]
    while left:
        way, each = left.pop()
        profiles = {key: set(urls) - {SIMPLE} for key, urls in each.profiles.items()}
        said = [
            each.minimum or None,
            None if ":" in way.rpartition(".")[2] and each.maximum == 1 else each.maximum,
            each.types,
            {key: urls for key, urls in profiles.items() if urls} or None,
            set(each.targets) if each.targets is not None else None,
            each.fixed,
            each.pattern,
            set(each.bindings) or None,
            {c.constraint.key for c in each.constraints} or None,
        ]
        if any(part is not None for part in said):
            found[way] = said
        left += [(f"{way}.{child.name}", child) for child in each.children]
        if each.slicing is not None:
            left += [(f"{way}:{s.name}", s.check) for s in each.slices]
    return found


def test_profiles_of_r4_ask_the_same_by_differential_and_by_snapshot(package):
    by_snapshot, by_differential = Profiles(Packages([package])), Profiles(Differentials([package]))
    urls = [url for kind, url in package.canonicals if kind == "StructureDefinition"]
    others, same = {}, 0
    for url in urls:
        [definition] = package.defined("StructureDefinition", url)
        if definition.get("derivation") != "constraint":
            continue
        one, two = (asked(each.get(url).check) for each in (by_snapshot, by_differential))
        name = url.rpartition("/")[2]
        if one == two:
            same += 1
        else:
            others[name] = sorted(
                way for way in one.keys() | two.keys() if one.get(way) != two.get(way)
            )
    assert others.keys() == OTHERS.keys(), others
    assert same == 439
