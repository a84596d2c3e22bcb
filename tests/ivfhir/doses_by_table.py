"""What each regimen gives, worked out apart from the code under test.

The specification's table of regimens (D.2), its rules for drugs (section C) and its formulas (D.3),
written down once more, with nothing of `ivfhir`: where the two disagree, one of them is wrong.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_FLOOR, Decimal

AS_OF = date(2025, 3, 3)
D = Decimal
USAGE, NO_DOSE = 2, 3


@dataclass(frozen=True)
class Drug:
    """A drug of a row: how it is published, and between which bounds it may be chosen."""

    name: str
    published: tuple[str, str] | None
    bounds: tuple[str | None, str] | None = None
    unit: str = "mg/m2"
    days: int = 1
    choice: str = ""
    cap: str | None = None
    course_highest: str | None = None
    vein: bool = False

    @property
    def chosen_as(self) -> str:
        """The parameter that chooses its dose."""
        return self.choice or f"dose_{self.name}"


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    protocol: str
    drugs: tuple[Drug, ...]
    reference_days: int | None
    mode: str = ""
    sites: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    some_of: tuple[str, ...] = ()
    histology: bool = False
    neutrophils: str | None = None
    total: tuple[tuple[str, ...], str, str] | None = None
    dosed: bool = True
    only_arterial: bool = False
    hepatic_perfusion: bool = False


def _cisplatin(low: str, high: str, bounds: tuple[str | None, str]) -> Drug:
    return Drug("cisplatin", (low, high), bounds, course_highest="100")


_CISPLATIN_75 = _cisplatin("75", "75", ("75", "75"))
_FOLFOX_BOLUS = Drug(
    "fluorouracil-bolus", ("400", "400"), (None, "400"), choice="dose_fluorouracil_bolus"
)
_FOLFOX_INFUSION = Drug(
    "fluorouracil-infusion", ("2400", "2400"), (None, "2400"), choice="dose_fluorouracil_infusion"
)
_FOLFOX = (Drug("leucovorin", ("400", "400")), _FOLFOX_BOLUS, _FOLFOX_INFUSION)
_FOLFOX_TOTAL = (("fluorouracil-bolus", "fluorouracil-infusion"), "1600", "2800")

ROWS: Mapping[str, Row] = {
    "RG-LU1": Row(
        "LUNG",
        (
            _cisplatin("75", "75", ("20", "80")),
            Drug("pemetrexed", ("500", "500"), ("350", "500"), vein=True),
        ),
        21,
    ),
    "RG-LU2": Row(
        "LUNG",
        (
            _cisplatin("60", "75", ("60", "75")),
            Drug("gemcitabine", ("1000", "1250"), ("750", "1250"), days=2, vein=True),
        ),
        21,
    ),
    "RG-LU3": Row(
        "LUNG",
        (
            _CISPLATIN_75,
            Drug("docetaxel", ("60", "75"), ("55", "75"), vein=True),
        ),
        21,
        neutrophils="1.5",
    ),
    "RG-LU4": Row(
        "LUNG",
        (
            Drug("carboplatin", ("5", "6"), ("4", "6"), unit="AUC", choice="auc"),
            Drug("paclitaxel", ("175", "200"), ("135", "200"), vein=True),
        ),
        21,
    ),
    "RG-LU5": Row(
        "LUNG",
        (
            _CISPLATIN_75,
            Drug("vinorelbine", ("25", "25"), ("20", "30"), days=2, vein=True),
        ),
        21,
    ),
    "RG-LU6": Row(
        "LUNG",
        (
            _CISPLATIN_75,
            Drug("carboplatin", ("5", "5"), ("5", "5"), unit="AUC", choice="auc"),
            Drug("etoposide", ("100", "100"), ("80", "120"), days=3, vein=True),
        ),
        21,
        one_of=("cisplatin", "carboplatin"),
        histology=True,
    ),
    "RG-LU7": Row(
        "LUNG",
        (_cisplatin("25", "25", ("25", "25")), Drug("fluorouracil", ("300", "300"))),
        21,
        only_arterial=True,
    ),
    "RG-LI1": Row(
        "LIVER", (Drug("doxorubicin", ("50", "75"), ("50", "75"), cap="150"),), None, mode="TACE"
    ),
    "RG-LI2": Row(
        "LIVER", (Drug("doxorubicin", ("50", "150"), (None, "150"), unit="mg"),), 60, mode="TACE"
    ),
    "RG-LI3": Row(
        "LIVER",
        (Drug("oxaliplatin", ("130", "130"), ("65", "130")), *_FOLFOX),
        21,
        mode="HAIC",
        total=_FOLFOX_TOTAL,
    ),
    "RG-LI4": Row(
        "LIVER",
        (Drug("epirubicin", ("50", "50"), unit="mg"), Drug("lobaplatin", ("50", "50"), unit="mg")),
        42,
        mode="TACE",
    ),
    "RG-LM1": Row(
        "LMET", (Drug("irinotecan", ("100", "100"), (None, "100"), unit="mg"),), 21, mode="EMBO"
    ),
    "RG-LM2": Row(
        "LMET",
        (
            Drug("mitomycin", ("10", "10"), ("5", "10")),
            Drug("gemcitabine", ("1000", "1000"), ("750", "1200")),
        ),
        28,
        mode="INFUSION",
    ),
    "RG-LM3": Row(
        "LMET",
        (Drug("mitomycin", ("8", "8")), Drug("gemcitabine", None), Drug("irinotecan", None)),
        28,
        mode="EMBO",
    ),
    "RG-LM4": Row(
        "LMET",
        (Drug("oxaliplatin", ("85", "85"), ("65", "130")), *_FOLFOX),
        21,
        mode="INFUSION",
        total=_FOLFOX_TOTAL,
    ),
    "RG-LM5": Row(
        "LMET",
        (
            _cisplatin("100", "100", (None, "100")),
            Drug(
                "liposomal doxorubicin",
                ("20", "35"),
                ("20", "35"),
                choice="dose_liposomal_doxorubicin",
                vein=True,
            ),
        ),
        28,
        mode="INFUSION",
    ),
    "RG-LM6": Row(
        "LMET", (Drug("melphalan", ("3", "3")),), 42, dosed=False, hepatic_perfusion=True
    ),
    "RG-LM7": Row("LMET", (), None, dosed=False),
    "RG-RE1": Row(
        "REGI",
        (
            Drug("gemcitabine", ("1000", "1000"), ("750", "1200")),
            Drug("fluorouracil", ("500", "600"), ("500", "600")),
        ),
        28,
        sites=("pancreas", "stomach", "duodenum"),
        some_of=("gemcitabine", "fluorouracil"),
    ),
    "RG-RE2": Row("REGI", (Drug("melphalan", None),), None, sites=("limb",), dosed=False),
    "RG-PO1": Row(
        "PORT",
        (
            Drug("fluorouracil", ("600", "600"), ("450", "700"), days=5),
            Drug("leucovorin", ("170", "170"), days=5),
        ),
        28,
    ),
    "RG-PO2": Row(
        "PORT", (Drug("floxuridine", ("0.12", "0.12"), ("0.05", "0.20"), unit="mg/kg/d"),), 28
    ),
    "RG-PO3": Row(
        "PORT",
        (
            Drug("oxaliplatin", ("85", "85"), ("65", "100")),
            Drug("fluorouracil", None, vein=True),
        ),
        14,
    ),
}


@dataclass(frozen=True)
class Person:
    """What the record says; None where it says nothing, with the day of each result."""

    age: int
    sex: str
    results: Mapping[str, tuple[Decimal, date]]
    portal_vein: tuple[str, date] | None = None
    allergies: str = "none-known"
    not_pregnant: date | None = None
    squamous: bool = False

    @property
    def born(self) -> date:
        """The birth date: past this year's birthday."""
        return date(AS_OF.year - self.age, 2, 1)

    @property
    def adult_on(self) -> date:
        """The day from which a height counts, for good."""
        return self.born.replace(year=self.born.year + 18)


@dataclass(frozen=True)
class Asked:
    """What the clinician asks for."""

    regimen: str
    choices: Mapping[str, Decimal]
    confirmed: frozenset[str]
    courses: int
    interval: int


@dataclass(frozen=True)
class Expected:
    """The answer: the exit code, and what each administration of a drug comes to in mg."""

    code: int
    unrounded: Mapping[str, Decimal] = field(default_factory=dict)
    pump: Decimal | None = None
    why: str = ""

    @property
    def rounded(self) -> dict[str, Decimal]:
        """To the nearest 5 mg, below 50 mg to the nearest 1 mg; a tie goes down."""
        return {name: rounded(mg) for name, mg in self.unrounded.items()}


def rounded(mg: Decimal) -> Decimal:
    """Return the dose that is drawn up."""
    step = D(5) if mg >= 50 else D(1)
    down = (mg / step).to_integral_value(ROUND_FLOOR) * step
    return down if mg - down <= step / 2 else down + step


_WINDOWS = {
    "weight": 30, "creatinine": 14, "bilirubin": 14, "platelets": 14, "anc": 14, "haemoglobin": 14,
    "ecog": 30, "tumour-burden-pct": 42,
}  # fmt: skip
_PLAUSIBLE = {
    "platelets": (1, 3000), "anc": (0, 200), "haemoglobin": (2, 25), "creatinine": (D("0.1"), 30),
    "bilirubin": (D("0.05"), 60), "weight": (20, 350), "height": (100, 250), "ecog": (0, 5),
    "tumour-burden-pct": (0, 100),
}  # fmt: skip


def known(person: Person, name: str) -> Decimal | None:
    """Return a result that counts: plausible, inside its window (E-05, E-06, E-08)."""
    if name not in person.results:
        return None
    value, day = person.results[name]
    low, high = _PLAUSIBLE[name]
    if not low <= value <= high or day > AS_OF:
        return None
    if name == "height" and day < person.adult_on:
        return None
    if name in _WINDOWS and (AS_OF - day).days > _WINDOWS[name]:
        return None
    return value


def clearances(person: Person) -> tuple[Decimal, ...]:
    """Return the Cockcroft-Gault clearance, or both where the sex is neither; () unknown."""
    weight, creatinine = known(person, "weight"), known(person, "creatinine")
    if weight is None or creatinine is None:
        return ()
    male = (140 - person.age) * weight / (72 * creatinine)
    if person.sex == "male":
        return (male,)
    return (male * D("0.85"),) if person.sex == "female" else (male * D("0.85"), male)


def expect(person: Person, asked: Asked) -> Expected:
    """Return what `ivfhir apply --param regimen=…` must say."""
    row = ROWS[asked.regimen]
    if not row.dosed:
        if asked.choices:
            return Expected(USAGE, why="it takes no dose")
        reasons = list(_perfusion(person)) if row.hepatic_perfusion else []
        return Expected(NO_DOSE if reasons else 0, why="; ".join(reasons))
    levels, wrong = _levels(row, asked)
    if wrong:
        return Expected(USAGE, why="; ".join(wrong))
    reasons = []
    doses: dict[str, Decimal] = {}
    if row.histology and "histology" not in asked.confirmed:
        reasons.append("histology to be confirmed")
    for drug in row.drugs:
        if drug.name not in levels:
            continue
        reasons += _against(drug.name, levels[drug.name], drug, person, asked)
        if drug.name == "docetaxel" and row.neutrophils is not None:
            reasons += _limit(person, "anc", lambda value: value < D("1.5"))
        mg = _amount(drug, levels[drug.name], person)
        if mg is None:
            reasons.append(f"no amount of {drug.name}")
        else:
            doses[drug.name] = mg
    if reasons:
        return Expected(NO_DOSE, why="; ".join(reasons))
    return Expected(0, doses, _pump(levels, person, asked))


def _levels(row: Row, asked: Asked) -> tuple[dict[str, Decimal], list[str]]:
    levels: dict[str, Decimal] = {}
    wrong: list[str] = []
    if row.only_arterial:
        wrong.append("no systemic cell-cycle-specific drug (LUNG-R02)")
    dosed = {drug.chosen_as: drug for drug in row.drugs if drug.published is not None}
    pump = {"pump_reservoir_ml", "pump_flow_ml_per_day"}
    takes = set(dosed) | (pump if asked.regimen == "RG-PO2" else set())
    wrong += [f"no choice {name}" for name in asked.choices if name not in takes]
    chosen = [drug.name for name, drug in dosed.items() if name in asked.choices]
    if row.one_of and len([name for name in chosen if name in row.one_of]) != 1:
        wrong.append("exactly one")
    if row.some_of and not [name for name in chosen if name in row.some_of]:
        wrong.append("at least one")
    for name, drug in dosed.items():
        if drug.name in (*row.one_of, *row.some_of) and drug.name not in chosen:
            continue
        low, high = (D(end) for end in drug.published or ())
        level = asked.choices.get(name, low if low == high else None)
        if level is None:
            wrong.append(f"{drug.name} is a range")
            continue
        levels[drug.name] = level
        wrong += _hard_stops(row, drug, level, asked)
    if row.total is not None:
        parts, least_total, most_total = row.total
        total = sum((levels.get(part, D(0)) for part in parts), D(0))
        if not D(least_total) <= total <= D(most_total):
            wrong.append("fluorouracil in all")
    given = pump & set(asked.choices)
    if len(given) == 1:
        wrong.append("both numbers of the pump")
    return levels, wrong


def _hard_stops(row: Row, drug: Drug, level: Decimal, asked: Asked) -> Iterator[str]:
    low, high = (D(end) for end in drug.published or ())
    least, most = drug.bounds or (str(low), str(high))
    if (least is not None and level < D(least)) or level > D(most) or level < 0:
        yield f"{drug.name} out of bounds"
    if drug.course_highest and level > D(drug.course_highest):
        yield "AG-CIS-MAX"
    if row.reference_days is not None and asked.courses > 1:
        published = min(max(level, low), high)
        if level * row.reference_days > published * asked.interval:
            yield f"{drug.name} above 100 % of its dose intensity"


def _amount(drug: Drug, level: Decimal, person: Person) -> Decimal | None:
    mg = _plain(drug, level, person)
    if mg is None:
        return None
    if "rubicin" in drug.name:
        bilirubin = known(person, "bilirubin")
        if bilirubin is None:
            return None
        mg = mg / 2 if D("1.2") <= bilirubin <= D("3.0") else mg
    return mg if drug.cap is None else min(mg, D(drug.cap))


def _plain(drug: Drug, level: Decimal, person: Person) -> Decimal | None:
    weight, height = known(person, "weight"), known(person, "height")
    if drug.unit == "mg":
        return level
    if drug.unit == "AUC":
        both = clearances(person)
        if len(both) != 1 or not 1 <= both[0] <= 300:  # design: beyond it the input is a mistake.
            return None
        return level * (min(both[0], D(125)) + 25)
    if drug.unit == "mg/kg/d":
        return None if weight is None else level * weight * 14
    if weight is None or height is None:
        return None
    return level * (height * weight / 3600).sqrt()


def _pump(levels: Mapping[str, Decimal], person: Person, asked: Asked) -> Decimal | None:
    reservoir = asked.choices.get("pump_reservoir_ml")
    flow = asked.choices.get("pump_flow_ml_per_day")
    weight = known(person, "weight")
    if reservoir is None or flow is None or weight is None:
        return None
    return levels["floxuridine"] * weight * reservoir / flow


def _limit(person: Person, name: str, excludes: Callable[[Decimal], bool]) -> Iterator[str]:
    value = known(person, name)
    if value is None:
        yield f"{name} unknown"
    elif excludes(value):
        yield f"{name} {value}"


def _against(name: str, level: Decimal, drug: Drug, person: Person, asked: Asked) -> Iterator[str]:
    if "platin" in name:
        yield from _platinum(name, person, asked)
    if name == "pemetrexed":
        yield from _clearance(person, 45)
        yield from ["squamous"] if person.squamous else []
        yield from _open(asked, "histology", "folate-b12")
    if "rubicin" in name:
        yield from _limit(person, "bilirubin", lambda value: value > 3)
        yield from _open(asked, "lvef", "cumulative-dose")
    if name in ("doxorubicin", "liposomal doxorubicin"):
        yield from _over_a_life(level, drug, person, asked, D(550))
    if name.startswith("fluorouracil") or name == "floxuridine":
        yield from _open(asked, "dpd")
    if name == "irinotecan":
        yield from _limit(person, "bilirubin", lambda value: value > 2)
        yield from _open(asked, "ugt1a1")
    if name == "floxuridine":
        yield from _pump_rules(person, asked)
    if name == "mitomycin":
        yield from _limit(person, "creatinine", lambda value: value > D("1.7"))
        yield from _over_a_life(level, drug, person, asked, D(50))
        yield from _open(asked, "cumulative-dose")


def _open(asked: Asked, *statements: str) -> Iterator[str]:
    yield from (f"{each} to be confirmed" for each in statements if each not in asked.confirmed)


def _platinum(name: str, person: Person, asked: Asked) -> Iterator[str]:
    if person.allergies == "platinum":
        yield "platinum allergy"
    if person.allergies == "unknown":
        yield from _open(asked, "platinum-allergy")
    if name == "carboplatin":
        yield from _limit(person, "platelets", lambda value: value < 100)
    if name == "cisplatin":
        yield from _clearance(person, 60)
        yield from _limit(person, "ecog", lambda value: value >= 2)
        yield from _open(asked, "hearing", "neuropathy", "nyha")
        if not (person.sex == "male" or person.age > 55 or person.not_pregnant is not None):
            yield "pregnancy unknown"


def _pump_rules(person: Person, asked: Asked) -> Iterator[str]:
    yield from _limit(person, "bilirubin", lambda value: value >= D("1.5"))
    yield from _limit(person, "ecog", lambda value: value > 1)
    vein = person.portal_vein
    if vein is None or (AS_OF - vein[1]).days > 42 or vein[0] != "patent":
        yield "portal vein"
    yield from _open(asked, "portal-hypertension")


def _clearance(person: Person, least: int) -> Iterator[str]:
    both = clearances(person)
    if not both:
        yield "clearance unknown"
    elif min(both) < least:
        yield f"clearance {min(both)}"


def _over_a_life(
    level: Decimal, drug: Drug, person: Person, asked: Asked, highest: Decimal
) -> Iterator[str]:
    if drug.unit == "mg":
        weight, height = known(person, "weight"), known(person, "height")
        if weight is None or height is None:
            yield "body surface unknown"
            return
        level = level / (height * weight / 3600).sqrt()
    if level * asked.courses > highest:
        yield f"more than {highest} mg/m2 over a life"


def _perfusion(person: Person) -> Iterator[str]:
    """What the record holds against hepatic perfusion (AG-PHP); the unknown is checked there."""
    tests = {
        "weight": lambda value: value < 35,
        "haemoglobin": lambda value: value < 10,
        "platelets": lambda value: value < 100,
        "anc": lambda value: value <= 2,
        "tumour-burden-pct": lambda value: value >= 50,
    }
    for name, excludes in tests.items():
        value = known(person, name)
        if value is not None and excludes(value):
            yield f"{name} {value}"
