"""Tumour response by RECIST 1.1 and mRECIST, from lesions or from their sums.

Progression is looked for first: a sum that fell by half and has risen again from its lowest value
is progression, not response. What is not measured is not counted as gone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.plausible import check, check_word
from ivfhir.errors import ParameterError

NON_TARGETS = ("none", "CR", "non-CR-non-PD", "PD", "not-evaluated")
"""State of the lesions that are followed but not measured."""

CR, PR, SD, PD, NE = "CR", "PR", "SD", "PD", "NE"
_MEASURABLE_MM, _MEASURABLE_NODE_MM, _NORMAL_NODE_MM = 10, 15, 10
_MAX_TARGETS, _MAX_PER_ORGAN, _MAX_LIVER_TARGETS = 5, 2, 2
_RESPONSE_PCT, _PROGRESSION_PCT, _PROGRESSION_MM = -30, 20, 5


@dataclass(frozen=True)
class Target:
    """A lesion that is measured.

    Attributes:
        baseline_mm: longest diameter before treatment; of a node the short axis; of a liver
            tumour by mRECIST the diameter that takes up contrast in the arterial phase.
        now_mm: the same now; None where it was not imaged or cannot be measured.
        organ: where it lies; '' where it is not told.
        is_node: whether it is a lymph node.
    """

    baseline_mm: Decimal
    now_mm: Decimal | None
    organ: str = ""
    is_node: bool = False


@dataclass(frozen=True)
class Response:
    """The response, and the numbers that it rests on.

    Attributes:
        overall: CR, PR, SD, PD, or NE where it cannot be told.
        target: the same for the target lesions alone.
        baseline_mm: sum before treatment.
        nadir_mm: smallest sum so far, before this one.
        now_mm: sum of what is measured now.
        from_baseline_pct: change against the baseline; None where a target is missing, as of the
            next two.
        from_nadir_pct: change against the nadir; None where the nadir is 0.
        from_nadir_mm: the same in mm.
        missing: how many targets are not measured now.
        notes: what else to know.
    """

    overall: str
    target: str
    baseline_mm: Decimal
    nadir_mm: Decimal
    now_mm: Decimal
    from_baseline_pct: Decimal | None
    from_nadir_pct: Decimal | None
    from_nadir_mm: Decimal | None
    missing: int
    notes: tuple[str, ...]


def recist(
    targets: Sequence[Target],
    *,
    nadir_mm: Decimal,
    new_lesion: bool,
    non_target: str = "none",
) -> Response:
    """Return the response by RECIST 1.1.

    Args:
        targets: one to five lesions, at most two an organ, each measurable at the baseline: 10 mm,
            a node 15 mm in its short axis. One entry may stand for a sum.
        nadir_mm: the smallest sum so far, the baseline's among them.
        new_lesion: whether there is a lesion that was not there before.
        non_target: one of `NON_TARGETS`.

    Raises:
        ParameterError: a lesion is not measurable, there are too many, or a number is implausible.

    Source: CALC-10 [R25]
    """
    if len(targets) > _MAX_TARGETS:
        raise ParameterError(
            f"{len(targets)} targets are too many; measure {_MAX_TARGETS} or less."
        )
    for organ, count in Counter(each.organ for each in targets if each.organ).items():
        if count > _MAX_PER_ORGAN:
            raise ParameterError(
                f"{count} targets lie in {organ}; measure {_MAX_PER_ORGAN} or less an organ."
            )
    return _response(targets, nadir_mm, new_lesion=new_lesion, non_target=non_target)


def mrecist(
    targets: Sequence[Target],
    *,
    nadir_mm: Decimal,
    new_lesion: bool,
    non_target: str = "none",
) -> Response:
    """Return the response of liver tumours by mRECIST: the viable diameter counts.

    Args:
        targets: one or two typical liver lesions; no node.
        nadir_mm: the smallest sum so far, the baseline's among them.
        new_lesion: as for `recist`.
        non_target: as for `recist`.

    Raises:
        ParameterError: as for `recist`.

    Source: CALC-11 [R25]
    """
    if len(targets) > _MAX_LIVER_TARGETS:
        raise ParameterError(
            f"{len(targets)} targets are too many; mRECIST measures {_MAX_LIVER_TARGETS} or less."
        )
    if any(each.is_node for each in targets):
        raise ParameterError("A node has no viable diameter; mRECIST measures liver tumours.")
    return _response(targets, nadir_mm, new_lesion=new_lesion, non_target=non_target)


def _response(
    targets: Sequence[Target], nadir_mm: Decimal, *, new_lesion: bool, non_target: str
) -> Response:
    check_word("non_target", non_target, NON_TARGETS)
    for each in targets:
        _check_target(each)
    if not targets:
        raise ParameterError("There is no target lesion; give at least one.")
    baseline = sum((each.baseline_mm for each in targets), Decimal(0))
    if not 0 <= nadir_mm <= baseline:
        raise ParameterError(
            f"nadir_mm is {nadir_mm}, but the baseline sum is {baseline}: the smallest sum so far "
            "cannot be greater. Before the first follow-up it is the baseline sum."
        )
    seen = [each.now_mm for each in targets if each.now_mm is not None]
    now = sum(seen, Decimal(0))
    missing = len(targets) - len(seen)
    target = _target_response(targets, baseline, nadir_mm, now)
    overall, note = _overall(target, new_lesion=new_lesion, non_target=non_target)
    return Response(
        overall=overall,
        target=target,
        baseline_mm=baseline,
        nadir_mm=nadir_mm,
        now_mm=now,
        from_baseline_pct=None if missing else (now - baseline) * 100 / baseline,
        from_nadir_pct=None if missing or not nadir_mm else (now - nadir_mm) * 100 / nadir_mm,
        from_nadir_mm=None if missing else now - nadir_mm,
        missing=missing,
        notes=tuple(filter(None, (note, _missing_note(missing)))),
    )


def _check_target(target: Target) -> None:
    check("diameter_mm", target.baseline_mm, name="baseline_mm")
    least = _MEASURABLE_NODE_MM if target.is_node else _MEASURABLE_MM
    if target.baseline_mm < least:
        what = "a node needs 15 mm in its short axis" if target.is_node else "a lesion needs 10 mm"
        raise ParameterError(
            f"baseline_mm has {target.baseline_mm} mm, which is not measurable: {what}."
        )
    if target.now_mm is not None:
        check("diameter_mm", target.now_mm, name="now_mm")


def _target_response(
    targets: Sequence[Target], baseline: Decimal, nadir: Decimal, now: Decimal
) -> str:
    """Return the response of the targets; what is measured may prove progression by itself."""
    rise = now - nadir
    if rise >= _PROGRESSION_MM and rise * 100 >= _PROGRESSION_PCT * nadir:
        return PD
    if any(each.now_mm is None for each in targets):
        return NE
    if all(map(_is_gone, targets)):
        return CR
    return PR if (now - baseline) * 100 <= _RESPONSE_PCT * baseline else SD


def _is_gone(target: Target) -> bool:
    if target.now_mm is None:
        return False
    return target.now_mm < _NORMAL_NODE_MM if target.is_node else target.now_mm == 0


def _overall(target: str, *, new_lesion: bool, non_target: str) -> tuple[str, str | None]:
    if new_lesion:
        return PD, "A new lesion is progression, whatever the targets do."
    if PD in (target, non_target):
        return PD, None
    if target == CR and non_target not in ("none", CR):
        return PR, "The targets are gone, the other lesions are not: a partial response."
    return target, None


def _missing_note(missing: int) -> str | None:
    if not missing:
        return None
    return f"Targets that are not measured now: {missing}; the sum of now is without them."
