"""A differential on its base: what both say together (http://hl7.org/fhir/R4/profiling.html#snapshot).

This is the snapshot as far as it matters here. What is said of an element applies to each of its
slices, too, so nothing of it need be copied into them.
"""

from collections.abc import Mapping
from dataclasses import replace

from ivfhir.validation.profile.elements import Constraint, ElementSaid, Slicing, TypeSaid


def overlaid(base: ElementSaid, own: ElementSaid) -> ElementSaid:
    """Return what a base and a profile of it say together; neither is changed."""
    return ElementSaid(
        minimum=base.minimum if own.minimum is None else own.minimum,
        maximum=base.maximum if own.maximum is None else own.maximum,
        types=_types(base.types, own.types),
        fixed=base.fixed if own.fixed is None else own.fixed,
        pattern=base.pattern if own.pattern is None else own.pattern,
        lowest=own.lowest or base.lowest,
        highest=own.highest or base.highest,
        longest=base.longest if own.longest is None else own.longest,
        bindings=base.bindings if own.bindings is None else own.bindings,
        constraints=_constraints(base.constraints, own.constraints),
        slicing=_slicing(base.slicing, own.slicing),
        slices=_members(base.slices, own.slices),
        children=_members(base.children, own.children),
    )


def _members(
    base: Mapping[str, ElementSaid], own: Mapping[str, ElementSaid]
) -> dict[str, ElementSaid]:
    merged = dict(base)
    for name, said in own.items():
        merged[name] = overlaid(merged[name], said) if name in merged else said
    return merged


def _slicing(base: Slicing | None, own: Slicing | None) -> Slicing | None:
    """Return the slicing of the profile; discriminators that it does not name are the base's."""
    if base is None or own is None or own.discriminators:
        return own or base
    return replace(own, discriminators=base.discriminators)


def _types(
    base: tuple[TypeSaid, ...] | None, own: tuple[TypeSaid, ...] | None
) -> tuple[TypeSaid, ...] | None:
    """Return the types of the profile; where it names a bare one, profiles and targets stay."""
    if base is None or own is None:
        return own or base
    before = {each.code: each for each in base}
    return tuple(
        TypeSaid(
            each.code,
            each.profiles or before[each.code].profiles,
            each.targets or before[each.code].targets,
        )
        if each.code in before
        else each
        for each in own
    )


def _constraints(
    base: tuple[Constraint, ...], own: tuple[Constraint, ...]
) -> tuple[Constraint, ...]:
    keys = {each.key for each in own}
    return (*(each for each in base if each.key not in keys), *own)
