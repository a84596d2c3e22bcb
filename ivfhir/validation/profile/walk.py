"""A resource beside a profile: what it asks beyond R4 and does not get."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ivfhir.errors import FhirPathError, InputError
from ivfhir.expressions.fhirpath import Node, Services
from ivfhir.expressions.fhirpath.types import UNTYPED, fhir_type
from ivfhir.expressions.operators.logical import Truth, any_of
from ivfhir.fhir.r4 import lineage_of
from ivfhir.fhir.r4.extensions import extension_of
from ivfhir.fhir.targets import Targets
from ivfhir.fhir.types import Resource
from ivfhir.packages.codes import Codes
from ivfhir.validation.issue import Issue, Place, Pointer
from ivfhir.validation.profile.bindings import unbound
from ivfhir.validation.profile.checks import DEFAULT_SLICE, Check, CompiledConstraint, SliceCheck
from ivfhir.validation.profile.conformity import Conformity, Question
from ivfhir.validation.profile.counts import too_few, too_many
from ivfhir.validation.profile.discriminators import short
from ivfhir.validation.profile.items import RESOURCE, Item, item_of
from ivfhir.validation.profile.library import Profile, Profiles, r4_type
from ivfhir.validation.profile.slices import named, sort_items, wrong_order
from ivfhir.validation.profile.told import SORTING, Told, ToldKey, Wrong, listed, short_names
from ivfhir.validation.profile.values import compared, holds_pattern, is_fixed

REFERENCES = frozenset({"Reference", "canonical"})


@dataclass(slots=True)
class Shared:
    """What all checks of one input share.

    Attributes:
        profiles: known ones.
        targets: what references name.
        by_r4: place and rule of what would tell again what R4 told; see told.AGAIN.
        told: keys of what was said already, of whichever profile.
        conformity: whether elements conform to profiles.
    """

    profiles: Profiles
    targets: Targets
    by_r4: frozenset[tuple[Pointer, str]] = frozenset()
    told: set[ToldKey] = field(default_factory=set)
    conformity: Conformity = field(default_factory=Conformity)


class Walk:
    """Asks profiles of an element, and of what is in it."""

    def __init__(
        self, shared: Shared, resource: Resource, root: Resource, *, judges: bool = False
    ) -> None:
        """Begin with nothing found.

        Args:
            shared: see there.
            resource: the resource that holds the element, or is it.
            root: the resource that contains that one; itself where it is not contained.
            judges: only whether there is an error matters.
        """
        self._shared = shared
        self._told = Told(shared.told, shared.by_r4, judges=judges)
        self._holders = [(resource, root)]
        self._services = Services(
            value_set=shared.profiles.members, resolve=self._resolved, conforms=self._conforms_node
        )

    @property
    def issues(self) -> list[Issue]:
        """What was found."""
        return self._told.issues

    def ask(self, item: Item, profile: Profile) -> None:
        """Ask a profile of an element; what breaks it is an issue."""
        outer, self._told.label = self._told.label, profile.label
        if profile.type_name in lineage_of(item.type_name):
            for note in profile.notes:
                self._told.note(item.place, note)
            self._element(item, profile.check)
        else:
            wanted = f"is for {profile.type_name}"
            self._wrong(item, f"is a {item.type_name}", wanted, "profile-type")
        self._told.label = outer

    # What slices and rules may ask: see asked.Asked.

    def resolve(self, item: Item) -> Resource | None:
        """Return the resource that a Reference, or a URI, names; None where it is not here."""
        text = item.value.get("reference") if isinstance(item.value, dict) else item.value
        return self._resolved(text) if isinstance(text, str) else None

    def conforms(self, item: Item, profile: str) -> Truth:
        """Return whether an element conforms to a profile; None where it is not known."""
        name = r4_type(profile)
        if name is not None:
            return name in lineage_of(item.type_name)
        resource, root = self._holders[-1]
        if isinstance(item.value, dict) and "resourceType" in item.value:
            inside = self._shared.targets.is_inside(item.value, root)
            contained = inside or item.place.key == "contained"
            resource, root = item.value, root if contained else item.value
        alone = replace(item, place=Place(None, item.type_name))
        question = Question(alone, profile, resource, root)
        return self._shared.conformity.truth(question, self._judged)

    def is_whole(self, item: Item) -> bool:
        """Return whether an element has all that R4 asks for."""
        return (item.place.pointer, SORTING) not in self._shared.by_r4

    def codes(self, value_set: str) -> Codes | None:
        """Return the codes of a value set, None where it is not known."""
        return self._shared.profiles.codes(value_set)

    def _judged(self, question: Question) -> Truth:
        try:
            found = self._shared.profiles.get(question.profile)
        except InputError:
            return None
        if found is None:
            return None
        shared = replace(self._shared, by_r4=frozenset(), told=set())
        inner = Walk(shared, question.resource, question.root, judges=True)
        inner.ask(question.item, found)
        return False if inner.issues else None if inner._told.unsure else True

    def _resolved(self, reference: str) -> Resource | None:
        return self._shared.targets.resolve(reference, self._holders[-1][1])

    def _conforms_node(self, node: Node, profile: str) -> Truth:
        if node.type is UNTYPED:
            return None
        name = node.type.name
        return self.conforms(Item(node.value, node.extra, name, Place(None, name)), profile)

    # An element.

    def _element(self, item: Item, check: Check) -> None:
        """Ask all of an element but how often it is there."""
        if self._told.is_full:
            return
        if not self._has_type(item, check) or not self._has_value(item, check):
            return
        self._bounds(item, check)
        self._bindings(item, check)
        self._target(item, check)
        for each in check.constraints:
            self._constraint(item, each)  # of a resource inside: for the one that holds it
        held = self._hold(item)
        self._profiles(item, check)
        for child in check.children:
            self._children(item, child)
        if held:
            self._holders.pop()

    def _hold(self, item: Item) -> bool:
        """Note a resource that holds what comes; return whether it is another."""
        value = item.value
        resource, root = self._holders[-1]
        if not isinstance(value, dict) or "resourceType" not in value or value is resource:
            return False
        self._holders.append((value, root if item.place.key == "contained" else value))
        return True

    def _has_type(self, item: Item, check: Check) -> bool:
        if _is_of(item, check):
            return True
        allowed = f"allows {listed(sorted(check.types or ()))}"
        self._wrong(item, f"is a {item.type_name}", allowed, "profile-type")
        return False

    def _has_value(self, item: Item, check: Check) -> bool:
        if check.fixed is not None and not is_fixed(item.value, check.fixed):
            text, expected, rule = "is not", "fixes it to that, so write it", "profile-fixed"
            wanted = check.fixed
        elif check.pattern is not None and not holds_pattern(item.value, check.pattern):
            text, expected, rule = "does not hold", "asks for that, so add it", "profile-pattern"
            wanted = check.pattern
        else:
            return True
        said = f"{text} {short(wanted)}"
        self._told.tell(Wrong(item.place, said, expected, rule, "value"))
        return False

    def _bounds(self, item: Item, check: Check) -> None:
        for bound, wrong, word in ((check.lowest, -1, "below"), (check.highest, 1, "above")):
            if bound is None or bound[0] not in lineage_of(item.type_name):
                continue
            if compared(item.value, *bound) == wrong:
                limit = f"allows no value {word} {short(bound[1])}"
                self._wrong(item, f"is {word} what is allowed", limit, "profile-value")
        if check.longest is not None and isinstance(item.value, str):
            length = len(item.value)
            if length > check.longest:
                limit = f"allows {check.longest}"
                self._wrong(item, f"has {length} characters", limit, "profile-value")

    def _bindings(self, item: Item, check: Check) -> None:
        for strength, value_set in check.bindings:
            found = unbound(item, strength, value_set, self.codes(value_set))
            if found is None:
                continue
            rule = f"binding-{strength}"
            said = (found.text, found.expected, rule, "code-invalid", found.severity)
            self._told.tell(Wrong(item.place, *said))
            self._told.unsure |= strength == "required" and found.severity == "warning"

    def _target(self, item: Item, check: Check) -> None:
        """Ask that a reference names what the profile allows, where that can be told."""
        if check.targets is None or item.type_name not in REFERENCES:
            return
        text = item.value.get("reference") if isinstance(item.value, dict) else item.value
        if not isinstance(text, str):
            return
        type_name = self._shared.targets.type_of(text, self._holders[-1][1])
        if type_name is None:
            return
        types = {url: self._shared.profiles.type_of(url) for url in check.targets}
        lineage = lineage_of(type_name)
        fitting = [url for url, each in types.items() if each in lineage]
        unknown = [url for url, each in types.items() if each is None]
        if not fitting and unknown:
            self._told.unknown(item.place, unknown, self._shared.profiles.advice)
        elif not fitting:
            allowed = f"allows {listed(sorted({str(each) for each in types.values()}))}"
            self._wrong(item, f"names a {type_name}", allowed, "profile-target")
        elif not unknown and item.type_name != "canonical":
            target = self.resolve(item)
            there = item_of(target, None, RESOURCE, Place(item.place, "resolve()"))
            if target is not None and self._conforms_to_one(there, fitting) is False:
                text = f"names a {type_name} that does not conform to {short_names(fitting)}"
                self._wrong(item, text, "asks for that", "profile-target")

    def _profiles(self, item: Item, check: Check) -> None:
        """Ask the profile of the element's type; of several, that it conforms to one."""
        if not check.profiles:
            return
        lineage = lineage_of(item.type_name)
        urls = [url for code in lineage for url in check.profiles.get(code, ())]
        if len(urls) == 1:
            profile = self._get(item, urls[0])
            if profile is not None:
                self.ask(item, profile)
        elif urls and self._conforms_to_one(item, urls) is False:
            text = f"conforms to none of {short_names(urls)}"
            self._wrong(item, text, "asks for one", "profile-type")

    def _conforms_to_one(self, item: Item, urls: Sequence[str]) -> Truth:
        found = any_of(self.conforms(item, url) for url in urls)
        self._told.unsure |= found is None
        return found

    def _get(self, item: Item, url: str) -> Profile | None:
        try:
            found = self._shared.profiles.get(url)
        except InputError as error:
            self._told.unchecked(item.place, error.message)
            return None
        if found is None and r4_type(url) is None and extension_of(url) is None:
            self._told.unknown(item.place, [url], self._shared.profiles.advice)
        return found

    def _constraint(self, item: Item, compiled: CompiledConstraint) -> None:
        rule, label = compiled.constraint, self._told.label
        problem, holds = compiled.problem, None
        if compiled.holds is not None:
            resource, root = self._holders[-1]
            node = Node(item.value, fhir_type(item.type_name), item.beside)
            try:
                holds = compiled.holds.is_true(
                    resource, context=node, root=root, services=self._services
                )
            except FhirPathError as error:
                problem = error.message
        if problem is not None:
            said = f"The rule {rule.key} of {label} could not be asked here: {problem}"
            self._told.unchecked(item.place, said)
        elif holds is False:
            text = f"breaks the rule {rule.key}: {rule.human.rstrip('.')}"
            wrong = Wrong(item.place, text, "", rule.key, "invariant", rule.severity)
            self._told.tell(wrong)

    # How often, and slices.

    def _children(self, holder: Item, check: Check) -> None:
        items = holder.children(check.name)
        if items is None:
            return  # of another shape: that was told
        enough = self._count(holder, check, items)
        for each in items:
            self._element(each, check)
        self._slices(holder, check, items, enough=enough)

    def _count(self, holder: Item, check: Check, items: Sequence[Item]) -> bool:
        """Ask how often an element is there; return whether it is often enough, for R4, too."""
        if check.maximum is not None and len(items) > check.maximum:
            self._told.tell(too_many(items, check.maximum))
        if check.r4_minimum <= len(items) < check.minimum:
            self._told.tell(too_few(holder, check, len(items)))
        return len(items) >= max(check.minimum, check.r4_minimum)

    def _slices(self, holder: Item, check: Check, items: Sequence[Item], *, enough: bool) -> None:
        """Sort items into slices, and ask of each slice what is asked of it."""
        if check.slicing is None:
            return
        fitting = [each for each in items if _is_of(each, check)]
        found = sort_items(fitting, check.slices, self)
        for wrong in wrong_order(found, check.slicing, check.slices):
            self._told.tell(wrong)
        if check.slicing.rules == "closed" and DEFAULT_SLICE not in found.of:
            for item in found.unsure:
                self._unsure_which(item, check.slices)
        for each in check.slices:
            inside, more = found.of[each.name], found.maybe[each.name]
            few, of = len(inside) < each.check.minimum, f" of the slice {named(each)}"
            most = each.check.maximum
            if few and len(inside) + more >= each.check.minimum:
                self._unsure(holder, each, "has the slice", "asks for")
            elif few and enough:
                self._told.tell(too_few(holder, each.check, len(inside), of))
            if most is not None and len(inside) > most:
                self._told.tell(too_many(inside, most, of))
            elif most is not None and len(inside) + more > most:
                self._unsure(holder, each, f"has more than {most} of the slice", "does not allow")
            for item in inside:
                self._element(item, each.check)
            self._slices(holder, each.check, inside, enough=not few)

    def _unsure(self, holder: Item, slice_: SliceCheck, what: str, says: str) -> None:
        said = f"{holder.place.expression}.{slice_.check.name} {what} {named(slice_)}"
        self._cannot_be_told(holder, f"{said}, which {self._told.label} {says}")

    def _unsure_which(self, item: Item, slices: Sequence[SliceCheck]) -> None:
        if self.is_whole(item):
            said = f"{item.place.expression} is of {listed([named(each) for each in slices])}"
            self._cannot_be_told(item, f"{said}, which alone {self._told.label} allows")

    def _cannot_be_told(self, item: Item, what: str) -> None:
        text = f"Whether {what}, cannot be told: what tells it is not here."
        self._told.unchecked(item.place, text, "warning")

    def _wrong(self, item: Item, text: str, expected: str, rule: str) -> None:
        self._told.tell(Wrong(item.place, text, expected, rule))


def _is_of(item: Item, check: Check) -> bool:
    """Return whether an element has one of the types that a profile allows."""
    return check.types is None or not check.types.isdisjoint(lineage_of(item.type_name))
