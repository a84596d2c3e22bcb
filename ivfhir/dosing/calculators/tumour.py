"""Growth, RECIST and mRECIST."""

from collections.abc import Callable, Mapping
from typing import Any

from ivfhir.dosing import growth, recist
from ivfhir.dosing.calculator import Calculator, Outcome
from ivfhir.dosing.keys import FLAG, FLAGS, NUMBERS, WORD, WORDS, Given, Key
from ivfhir.errors import ParameterError

_GROWTH_KEYS = (
    Key("first", "earlier diameter", "mm", "mm", required=False),
    Key("second", "later diameter", "mm", "mm", required=False),
    Key("first", "earlier volume", "ml", "mL", required=False),
    Key("second", "later volume", "ml", "mL", required=False),
    Key("interval", "from one to the other", "days", "d"),
)
_TARGET_KEYS = (
    Key("baseline", "each target before treatment", "mm", "mm", kind=NUMBERS),
    Key("nadir", "the smallest sum so far, the baseline's among them", "mm", "mm"),
    Key("now", "each target now, or missing", "mm", "mm", kind=NUMBERS, missing="missing"),
    Key("new_lesion", "is there a new lesion?", kind=FLAG, words=("yes", "no")),
    Key(
        "non_target",
        "what is followed, not measured; none by default",
        kind=WORD,
        words=recist.NON_TARGETS,
        required=False,
    ),
)
_PLACES = (
    Key("organ", "of each target", kind=WORDS, required=False),
    Key("node", "is it a node? of each target", kind=FLAGS, required=False),
)
_UNITS = {
    "baseline": "mm",
    "now": "mm",
    "change_from_baseline": "%",
    "change_from_nadir": "%",
    "rise_from_nadir": "mm",
}


def _growth(given: Given) -> Outcome:
    values = given.values
    named = values.keys() - {"interval_days"}
    if named == {"first_mm", "second_mm"}:
        found = growth.growth_by_diameter(**values)
    elif named == {"first_ml", "second_ml"}:
        found = growth.growth_by_volume(**values)
    else:
        raise ParameterError(
            "volume-doubling-time needs first_mm and second_mm, or first_ml and second_ml."
        )
    days = {} if found.days is None else {"days": found.days}
    return Outcome({**days, "trend": found.trend}, dict.fromkeys(days, "d"))


def _response(by: Callable[..., recist.Response]) -> Callable[[Given], Outcome]:
    def compute(given: Given) -> Outcome:
        values = given.values
        found = by(
            _targets(values),
            nadir_mm=values["nadir_mm"],
            new_lesion=values["new_lesion"],
            non_target=values.get("non_target", "none"),
        )
        numbers = {
            "baseline": found.baseline_mm,
            "now": found.now_mm,
            "change_from_baseline": found.from_baseline_pct,
            "change_from_nadir": found.from_nadir_pct,
            "rise_from_nadir": found.from_nadir_mm,
        }
        told = {name: number for name, number in numbers.items() if number is not None}
        return Outcome(
            {"response": found.overall, "targets": found.target, **told},
            {name: _UNITS[name] for name in told},
            notes=found.notes,
        )

    return compute


def _targets(values: Mapping[str, Any]) -> list[recist.Target]:
    baseline = values["baseline_mm"]
    columns = {
        "now_mm": values["now_mm"],
        "organ": values.get("organ", [""] * len(baseline)),
        "node": values.get("node", [False] * len(baseline)),
    }
    for name, column in columns.items():
        if len(column) != len(baseline):
            raise ParameterError(
                f"{name} has {len(column)} values, but baseline_mm has {len(baseline)}; give one "
                "for each target, in the same order."
            )
    rows = zip(baseline, *columns.values(), strict=True)
    return [recist.Target(was, now, organ, is_node) for was, now, organ, is_node in rows]


VOLUME_DOUBLING_TIME = Calculator(
    "volume-doubling-time",
    "growth from two diameters or two volumes",
    "CALC-09",
    _GROWTH_KEYS,
    _growth,
)
RECIST = Calculator(
    "recist",
    "response by RECIST 1.1",
    "CALC-10; Eisenhauer 2009 [R25]",
    (*_TARGET_KEYS, *_PLACES),
    _response(recist.recist),
)
MRECIST = Calculator(
    "mrecist",
    "response of liver tumours by mRECIST: viable diameters",
    "CALC-11; [R25]; thresholds general knowledge",
    _TARGET_KEYS,
    _response(recist.mrecist),
)
