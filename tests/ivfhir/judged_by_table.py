"""Every criterion of every protocol, judged apart from the code under test.

The rules are the specification's expressions (tests/data/specification/criteria.json); how a record
is read (E-03 to E-16, section 0.1) stands here once more, for the forms that `random_records.py`
writes, with nothing of `ivfhir`.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "data" / "specification" / "criteria.json"
AS_OF = date(2025, 3, 3)
D = Decimal
JUST = D("0.00000001")
FAR = D(10) ** 9
YES, NO, MISSING, OPEN = "true", "false", "missing", "ambiguous"
"""The four truths: of the unknown ones the second is a fact that is there and does not settle."""

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOCAL = "https://ivfhir.example/fhir/CodeSystem/io"
LOINC = "http://loinc.org"
Resource = Mapping[str, Any]
Span = tuple[Decimal, Decimal]
Codes = frozenset[str]


@cache
def tables() -> dict[str, Any]:
    """Return rules, protocols, windows and bounds."""
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"), parse_float=Decimal)
    return read


def unknown(truth: str) -> bool:
    """Tell whether a truth is unknown."""
    return truth in (MISSING, OPEN)


def any_of(truths: Iterable[str]) -> str:
    """Return Kleene's OR."""
    found = set(truths)
    return next((each for each in (YES, OPEN, MISSING) if each in found), NO)


def all_of(truths: Iterable[str]) -> str:
    """Return Kleene's AND."""
    found = set(truths)
    return next((each for each in (NO, OPEN, MISSING) if each in found), YES)


def negated(truth: str) -> str:
    """Return Kleene's NOT."""
    return {YES: NO, NO: YES}.get(truth, truth)


@dataclass(frozen=True)
class Judgement:
    """What a protocol comes to.

    Attributes:
        status: of the protocol.
        truths: criterion -> true, false or None; of a criterion by mode `(id, mode)`.
        modes: mode -> status, failed and unknown.
        failed: what fails, of modes in all of them.
        unknown: what is unknown, likewise.
        cautions: those that hold.
        not_assessable: those that nobody knows.
    """

    status: str
    truths: Mapping[tuple[str, str], bool | None]
    modes: Mapping[str, tuple[str, list[str], list[str]]]
    failed: list[str]
    unknown: list[str]
    cautions: list[str]
    not_assessable: list[str]


class Record:
    """A patient's record, read by the specification.

    Args:
        patient: the Patient.
        resources: all else.
    """

    def __init__(self, patient: Resource, resources: Iterable[Resource]) -> None:
        """Sort by type."""
        self.patient = patient
        self._known: dict[str, Span | Codes | None] = {}
        self._judged: dict[str, Judgement] = {}
        every = list(resources)
        self.observations = [e for e in every if e["resourceType"] == "Observation"]
        self.conditions = [
            Entry.of(e) for e in every if e["resourceType"] == "Condition" and not _later(e)
        ]
        self.allergies = [e for e in every if e["resourceType"] == "AllergyIntolerance"]
        self.procedures = [e for e in every if e["resourceType"] == "Procedure"]
        self.orders = [e for e in every if e["resourceType"] == "ServiceRequest"]

    # ------------------------------------------------------------------------------ protocols

    def judge(self, protocol: str) -> Judgement:
        """Return a protocol's status, truths and lists (E-02)."""
        if protocol not in self._judged:
            self._judged[protocol] = self._judge(protocol)
        return self._judged[protocol]

    def _judge(self, protocol: str) -> Judgement:
        table = tables()["protocols"][protocol]
        modes = table["modes"] or [""]
        truths: dict[tuple[str, str], bool | None] = {}
        by_mode: dict[str, tuple[str, list[str], list[str]]] = {}
        for mode in modes:
            listed = [each for each in table["criteria"] if _asked(each, mode)]
            answers = {each: self.criterion(each, mode) for each in listed}
            for name, truth in answers.items():
                truths[name, mode if "modes" in _rule(name) else ""] = _plain(truth)
            failed = [n for n, t in answers.items() if _stands_against(n, t)]
            open_ = [n for n, t in answers.items() if unknown(t) and not _is_caution(n)]
            by_mode[mode] = (self._status(protocol, answers, failed, open_), failed, open_)
        ranks = ("eligible", "indeterminate", "ineligible", "not-applicable")
        status = min((each[0] for each in by_mode.values()), key=ranks.index)
        shared = [
            [n for n in table["criteria"] if all(n in each[at] for each in by_mode.values())]
            for at in (1, 2)
        ]
        cautions = {n: truths[n, ""] for n in table["criteria"] if _is_caution(n)}
        return Judgement(
            status,
            truths,
            by_mode if table["modes"] else {},
            shared[0],
            shared[1],
            [n for n, t in cautions.items() if t is True],
            [n for n, t in cautions.items() if t is None],
        )

    def _status(
        self, protocol: str, answers: Mapping[str, str], failed: list[str], open_: list[str]
    ) -> str:
        anchor = answers[tables()["protocols"][protocol]["anchor"]]
        if protocol == "PORT":
            statuses = {self._base(each) for each in ("LIVER", "LMET", "REGI")}
            anchor = NO if statuses == {"not-applicable"} else YES
        if anchor == NO:
            return "not-applicable"
        return "ineligible" if failed else "indeterminate" if open_ else "eligible"

    def _base(self, protocol: str) -> str:
        mode = {"LIVER": "HAIC", "LMET": "INFUSION"}.get(protocol)
        judged = self.judge(protocol)
        return judged.modes[mode][0] if mode else judged.status

    def route(self) -> str:
        """Return the code of the route (B.7)."""
        spread = self.criterion("X-DISSEM", "")
        if spread == YES:
            return "systemic-intravenous"
        if unknown(spread):
            return "undetermined"
        fits = any(self.judge(p).status == "eligible" for p in ("LUNG", "LIVER", "LMET", "REGI"))
        return "targeted-intra-arterial" if fits else "regional-considered-not-cleared"

    # ------------------------------------------------------------------------------- criteria

    def criterion(self, name: str, mode: str) -> str:
        """Return the truth of a criterion in a mode."""
        if name == "PORT-I01":
            bases = [self._base(each) for each in ("LIVER", "LMET", "REGI")]
            return YES if "eligible" in bases else OPEN if "indeterminate" in bases else NO
        if name == "K-CACHEX" and self.criterion("X-CACHEX", mode) == YES:
            return NO
        return self._logic(_rule(name)["logic"], mode)

    def _logic(self, rule: Mapping[str, Any], mode: str) -> str:
        if "case" in rule:
            return self._case(rule, mode)
        [(word, told)] = rule.items()
        read: dict[str, Callable[[], str]] = {
            "const": lambda: {True: YES, False: NO, None: OPEN}[told],
            "any": lambda: any_of(self._logic(each, mode) for each in told),
            "all": lambda: all_of(self._logic(each, mode) for each in told),
            "not": lambda: negated(self._logic(told, mode)),
            "present": lambda: self._present(told),
            "known": lambda: NO if self.fact(told) is None else YES,
            "mode": lambda: self._logic(told[mode], mode),
        }
        return read[word]() if word in read else self._compared(word, *told)

    def _compared(self, word: str, name: str, wanted: Any) -> str:
        if isinstance(wanted, Mapping):
            wanted = 131  # the default of vdt_reference_days, the only parameter of a rule
        fact = self.fact(name)
        if fact is None:
            return NO if word == "eq-default-false" else MISSING
        return _compare(word.removesuffix("-default-false"), fact, wanted)

    def _case(self, rule: Mapping[str, Any], mode: str) -> str:
        for [when], [then] in ((pair[:1], pair[1:]) for pair in rule["case"]):
            truth = self._logic(when, mode)
            if truth == YES:
                return self._logic(then, mode)
            if truth == OPEN:
                return OPEN
        return self._logic(rule["else"], mode)

    # ---------------------------------------------------------------------------------- facts

    def fact(self, name: str) -> Span | Codes | None:
        """Return the value of a concept: an interval, a set of codes; None where missing."""
        derived: dict[str, Callable[[], Span | Codes | None]] = {
            "age-years": lambda: (D(self.ages[0]), D(self.ages[1])),
            "sex": lambda: frozenset({self.patient.get("gender", "unknown")}),
            "ecog": self._ecog,
            "egfr": self._egfr,
            "bmi": self._bmi,
            "weight-loss-6m-pct": self._weight_loss,
            "m-category": self._m_category,
            "stage-group": self._stage,
            "metastatic-organ-count": self._organs,
            "contrast-allergy": self._contrast,
            "pregnancy-status": self._pregnancy,
            "primary-site": self._primary,
            "child-pugh": self._child_pugh,
        }
        if name not in self._known:
            self._known[name] = derived[name]() if name in derived else self._told(name)
        return self._known[name]

    @property
    def _born(self) -> tuple[date, date]:
        """The first and the last day of birth that the record allows (E-13)."""
        told = self.patient["birthDate"]
        if len(told) == len("2007"):
            return date(int(told), 1, 1), date(int(told), 12, 31)
        if len(told) == len("2007-03"):
            first = date.fromisoformat(f"{told}-01")
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return date.fromisoformat(told), date.fromisoformat(told)

    @property
    def ages(self) -> tuple[int, int]:
        """Completed years, the lowest and the highest."""
        first, last = (
            AS_OF.year - born.year - ((AS_OF.month, AS_OF.day) < (born.month, born.day))
            for born in self._born
        )
        return last, first

    def _results(self, name: str) -> list[tuple[date, str, Any]]:
        """Return day, time and value of each usable result inside the window (E-05, E-06)."""
        found = []
        for each in self.observations:
            when = str(each.get("effectiveDateTime", ""))
            if not _is_of(each, name) or not re.match(r"\d{4}-\d\d-\d\d", when):
                continue
            if each["status"] not in ("final", "amended", "corrected"):
                continue
            day = date.fromisoformat(when[:10])
            days = _WINDOWS.get(name)
            value = _value(each, name)
            if day > AS_OF or value is None or (days is not None and (AS_OF - day).days > days):
                continue
            found.append((day, when[11:], value))
        return found

    def _told(self, name: str) -> Span | Codes | None:
        """Return the latest result: of those that tie all together (E-10)."""
        found = self._results(name)
        if not found:
            return None
        last = max(day for day, _, _ in found)
        same = [(time, value) for day, time, value in found if day == last]
        if all(time for time, _ in same):
            latest = max(time for time, _ in same)
            same = [each for each in same if each[0] == latest]
        values = [value for _, value in same]
        if isinstance(values[0], frozenset):
            return frozenset().union(*values)
        return min(low for low, _ in values), max(high for _, high in values)

    def _ecog(self) -> Span | Codes | None:
        told = self._told("ecog")
        if told is not None:
            return told
        karnofsky = self._told("karnofsky")
        if karnofsky is None:
            return None
        low, high = (_ecog_of(end) for end in reversed(_span(karnofsky)))
        return low, high

    def _egfr(self) -> Span | Codes | None:
        creatinine = self._told("creatinine")
        if creatinine is None:
            return self._told("egfr")
        ends = [
            _ckd_epi(value, age, sex)
            for value in _span(creatinine)
            for age in self.ages
            for sex in _sexes(self.patient)
        ]
        return min(ends), max(ends)

    def _height(self) -> Span | None:
        born = self._born[1]
        grown = [
            (day, value)
            for day, _, value in self._results("height")
            if day >= born.replace(year=born.year + 18)
        ]
        return max(grown)[1] if grown else None

    def _bmi(self) -> Span | None:
        weight, height = self._told("weight"), self._height()
        if weight is None or height is None:
            return None
        low, high = _span(weight)
        short, tall = height
        return low * 10_000 / (tall * tall), high * 10_000 / (short * short)

    def _weight_loss(self) -> Span | None:
        weights = self._results("weight")
        if not weights:
            return None
        day, _, (current, _) = max(weights)
        before = [
            value[0]
            for then, _, value in _with_any_age(self, "weight")
            if timedelta(14) <= day - then <= timedelta(183)
        ]
        if not before:
            return None
        lost = (max(before) - current) * 100 / max(before)
        return lost, lost

    def _stage(self) -> Codes | None:
        told = self._told("stage-group")
        return told if isinstance(told, frozenset) else None

    def _m_category(self) -> Codes | None:
        told = self._told("m-category")
        if isinstance(told, frozenset):
            return told
        stages = self._stage()
        if stages is None:
            return None
        early = {not each.startswith("IV") for each in stages}
        if early == {True}:
            return frozenset({"M0"})
        return None if early == {False} else frozenset({"M0", "?"})

    def _organs(self) -> Span | None:
        sure, maybe, bound = set[str](), set[str](), False
        for each in self.conditions:
            if each.state in ("ignored", "inactive"):
                continue
            organ = next((o for code, o in _ORGANS.items() if each.icd.startswith(code)), None)
            if organ is not None:
                (sure if each.state == "active" else maybe).add(organ)
            says = not each.icd and "metasta" in each.text and not _no_alert(each.text)
            bound |= each.icd.startswith("C79.9") or says
        if not self._usable:
            if maybe or bound:
                return D(0), FAR
            return None
        return D(len(sure)), FAR if bound else D(len(sure | maybe))

    @property
    def _usable(self) -> bool:
        return any(each.state == "active" and each.icd for each in self.conditions)

    def _contrast(self) -> Codes | None:
        if not self.allergies:
            return None
        found, settled = set[str](), set[str]()
        for each in self.allergies:
            text = each["code"].get("text", "").lower()
            coded = any(c["code"] in _CONTRAST for c in each["code"].get("coding", []))
            sure = _code(each["verificationStatus"]) == "confirmed"
            severe = each.get("criticality") == "high"
            if coded and severe:
                settled |= {"severe"} if sure else set()
                found |= {"severe", "mild", "none"}
            elif coded:
                settled |= {"mild"} if sure else set()
                found |= {"mild", "none"}
            elif "iohexol" in text or (not each["code"].get("coding") and severe):
                found |= {"severe", "mild", "none"}
        if "severe" in settled:
            return frozenset({"severe"})
        if "mild" in settled and "severe" not in found:
            return frozenset({"mild"})
        return frozenset(found or {"none"})

    def _pregnancy(self) -> Codes | None:
        found = set[str]()
        told = self._told("pregnancy-test")
        if isinstance(told, frozenset):
            known = {"10828004": "pregnant", "260385009": "not-pregnant"}
            found |= {known[each] for each in told}
        if self._told("childbearing-potential") == frozenset({"false"}):
            found.add("not-childbearing")
        states = {e.state for e in self.conditions if e.icd.startswith("Z33.1")}
        if "active" in states:
            found.add("pregnant")
        elif "open" in states and "pregnant" not in found:  # A confirmed one settles it (E-04).
            found |= {"pregnant", "not-pregnant"}
        return frozenset(found) or None

    def _primary(self) -> Codes | None:
        found, doubtful = set[str](), set[str]()
        for each in self.conditions:
            if not each.icd or each.state == "ignored":
                continue
            site = next((s for c, s in _PRIMARIES.items() if each.icd.startswith(c)), None)
            if site is None and each.icd.startswith("C") and not each.icd.startswith(_NO_PRIMARY):
                site = "other"
            if each.icd == "C22.9":
                doubtful.add("liver?")
            (found if each.sure else doubtful).update({site} if site else set())
        if doubtful and not found - {"unknown"}:
            return frozenset({*doubtful, "unknown", "stomach"})  # Open, whatever is asked.
        if len(found) > 1:  # A confirmed entry settles it (E-04); a named primary outranks C80.1.
            found.discard("unknown")
        return frozenset(found) or None

    def _child_pugh(self) -> Span | None:
        low = high = D(0)
        for name, points in _CHILD_PUGH.items():
            told = self._told(name)
            if told is None:
                low, high = low + 1, high + 3
            elif isinstance(told, frozenset):
                each = [_GRADES[code] for code in told]
                low, high = low + min(each), high + max(each)
            else:
                each = [points(end) for end in told]
                low, high = low + min(each), high + max(each)
        return low, high

    # -------------------------------------------------------------------------------- presence

    def _present(self, name: str) -> str:
        match name:
            case "encephalopathy-active":
                grade = self._told("encephalopathy-grade")
                told = MISSING if grade is None else _compare("in", grade, _GRADED)
                return any_of((told, self._condition("hepatic-encephalopathy")))
            case "refractory-ascites":
                return self._refractory()
            case "biliary-instrumentation":
                return any_of(_biliary(each) for each in self.procedures)
            case "rt-concurrent":
                return any_of(_radiotherapy(each) for each in (*self.procedures, *self.orders))
            case "proximal-tumour":
                told_so = self._told("proximal-tumour")
                return MISSING if told_so is None else _compare("eq", told_so, "true")
        return self._condition(name)

    def _refractory(self) -> str:
        told = self._told("refractory-ascites")
        if told is not None:
            return _compare("eq", told, "true")
        if any(_is_of(each, "refractory-ascites") and _recent(each) for each in self.observations):
            return OPEN
        ascites = self._told("ascites-grade")
        if ascites is None:
            return MISSING
        return NO if ascites <= {"none", "mild"} else OPEN

    def _condition(self, name: str) -> str:
        """Return whether a condition of a set is there (E-03, E-04)."""
        codes = _SETS[name]
        states = {e.state for e in self.conditions if e.icd and _in_set(e.icd, name, codes)}
        if name == "hit":  # "If ever recorded active": clinical status does not count.
            ever = [e for e in self.conditions if e.state != "ignored" and e.icd.startswith(codes)]
            states = {"active" if each.sure else "open" for each in ever}
        if "active" in states:
            return YES
        said = any(
            not each.icd and each.state in ("active", "open") and _alert(name, each.text)
            for each in self.conditions
        )
        doubtful = name == "dx-liver-primary" and any(
            each.icd == "C22.9" and each.state in ("active", "open") for each in self.conditions
        )
        if "open" in states or said or doubtful:
            return OPEN
        return NO if self._usable else MISSING


@dataclass(frozen=True)
class Entry:
    """A Condition: its ICD-10-CM code, its words, and whether it counts.

    `state` is active, inactive, ignored (refuted, in error) or open; `sure` that it is confirmed.
    """

    icd: str
    text: str
    state: str
    sure: bool

    @classmethod
    def of(cls, resource: Resource) -> "Entry":
        """Read an entry (E-04)."""
        coding = resource["code"].get("coding", [])
        icd = next((_icd(c["code"]) for c in coding if c.get("system") == ICD), "")
        words = [resource["code"].get("text", ""), *(c.get("display", "") for c in coding)]
        verified = resource.get("verificationStatus")
        status = "confirmed" if verified is None else _code(verified)
        clinical = _code(resource.get("clinicalStatus"))
        if "modifierExtension" in resource:
            state, status = "open", None
        elif status in ("refuted", "entered-in-error"):
            state = "ignored"
        elif clinical in ("inactive", "remission", "resolved") or (
            clinical is None and "abatementDateTime" in resource
        ):
            state = "inactive"
        elif status != "confirmed" or clinical not in ("active", "recurrence", "relapse"):
            state = "open"
        else:
            state = "active"
        return cls(icd, " ".join(words).lower(), state, status == "confirmed")


def _later(resource: Resource) -> bool:
    return str(resource.get("recordedDate", ""))[:10] > str(AS_OF)


def _icd(code: str) -> str:
    code = code.strip().upper()
    return code if "." in code or len(code) <= 3 else f"{code[:3]}.{code[3:]}"


def _code(concept: Any) -> str | None:
    """Return the code of a status; of the standard systems alone."""
    for each in (concept or {}).get("coding", []):
        if str(each.get("system", "")).startswith("http://terminology.hl7.org/CodeSystem/"):
            code = each.get("code")
            return str(code) if code in _STATUSES else None
    return None


_STATUSES = {
    "active", "recurrence", "relapse", "inactive", "remission", "resolved", "confirmed", "refuted",
    "entered-in-error", "provisional", "differential", "unconfirmed",
}  # fmt: skip


def _rule(name: str) -> Mapping[str, Any]:
    rule: Mapping[str, Any] = tables()["criteria"][name]
    return rule


def _asked(name: str, mode: str) -> bool:
    return not mode or mode in _rule(name).get("modes", [mode])


def _is_caution(name: str) -> bool:
    return bool(_rule(name)["kind"] == "caution")


def _stands_against(name: str, truth: str) -> bool:
    if _is_caution(name):
        return False
    return truth == (NO if _rule(name)["kind"] == "inclusion" else YES)


def _plain(truth: str) -> bool | None:
    return {YES: True, NO: False}.get(truth)


def _compare(word: str, fact: Span | Codes, wanted: Any) -> str:
    if isinstance(fact, frozenset):
        accepted = set(wanted) if word == "in" else {wanted}
        answers = {(each in accepted) is (word != "ne") for each in fact}
    else:
        low, high = fact
        tests: dict[str, Callable[[Decimal], bool]] = {
            "lt": lambda end: end < wanted,
            "le": lambda end: end <= wanted,
            "gt": lambda end: end > wanted,
            "ge": lambda end: end >= wanted,
        }
        if word == "eq":
            if low == high:
                return YES if low == wanted else NO
            return OPEN if low <= wanted <= high else NO
        answers = {tests[word](low), tests[word](high)}
    return OPEN if len(answers) > 1 else YES if answers == {True} else NO


def _span(fact: Span | Codes) -> Span:
    assert isinstance(fact, tuple)
    return fact


_WINDOWS: dict[str, int] = {
    **dict.fromkeys(("platelets", "anc", "haemoglobin", "inr", "creatinine", "egfr"), 14),
    **dict.fromkeys(("bilirubin", "albumin"), 14),
    **dict.fromkeys(("ecog", "karnofsky", "weight", "cachexia-stage", "refractory-ascites"), 30),
    **dict.fromkeys(("ascites-grade", "encephalopathy-grade"), 30),
    **dict.fromkeys(("surgical-candidacy", "metastatic-extent", "chemosensitivity"), 60),
    **dict.fromkeys(("prior-chemo-lines", "chemo-pd-lines", "last-chemo-response"), 60),
    **dict.fromkeys(("standard-options-reviewed", "recist-trend", "vdt-days"), 60),
    "planned-curative": 60, "pregnancy-test": 7, "dysphagia-score": 14,
    **dict.fromkeys(("stage-group", "m-category", "tumour-burden-pct", "portal-vein"), 42),
    **dict.fromkeys(("distant-lesion-count", "largest-tumour-mm"), 42),
}  # fmt: skip

_LOINC = {
    "platelets": ("777-3", "26515-7"), "anc": ("751-8", "26499-4"), "haemoglobin": ("718-7",),
    "inr": ("6301-6", "34714-6", "46418-0"), "creatinine": ("2160-0", "14682-9"),
    "egfr": ("98979-8", "62238-1"), "bilirubin": ("1975-2", "14631-6"), "albumin": ("1751-7",),
    "weight": ("29463-7",), "height": ("8302-2",), "ecog": ("89247-1",), "karnofsky": ("89243-0",),
    "stage-group": ("21908-9", "21902-2"), "m-category": ("21907-1", "21901-4"),
    "pregnancy-test": ("2118-8", "2106-3"),
}  # fmt: skip

_COUNTS = {"10*9/L": D(1), "10*3/uL": D(1), "K/uL": D(1), "/uL": D("0.001"), "/nL": D(1)}
_UNITS: dict[str, dict[str, Decimal]] = {
    "platelets": _COUNTS,
    "anc": _COUNTS,
    "haemoglobin": {"g/dL": D(1), "g/L": D("0.1")},
    "inr": {"": D(1), "1": D(1), "{INR}": D(1)},
    "creatinine": {"mg/dL": D(1), "umol/L": 1 / D("88.42")},
    "bilirubin": {"mg/dL": D(1), "umol/L": 1 / D("17.1")},
    "albumin": {"g/dL": D(1), "g/L": D("0.1")},
    "egfr": {"mL/min/{1.73_m2}": D(1), "mL/min": D(1)},
    "weight": {"kg": D(1), "[lb_av]": D("0.45359237"), "g": D("0.001")},
    "height": {"cm": D(1), "m": D(100), "[in_i]": D("2.54")},
    "tumour-burden-pct": {"%": D(1)}, "largest-tumour-mm": {"mm": D(1), "cm": D(10)},
    "vdt-days": {"d": D(1)},
}  # fmt: skip
_INTEGERS = {
    "ecog": (0, 5), "karnofsky": (10, 100), "distant-lesion-count": (0, 10_000),
    "prior-chemo-lines": (0, 1000), "chemo-pd-lines": (0, 1000), "dysphagia-score": (0, 4),
}  # fmt: skip
_BOUNDS: dict[str, tuple[Any, Any]] = {
    "egfr": (0, 1000),
    "largest-tumour-mm": (0, 1000),
    "vdt-days": (-FAR, FAR),
}
_CODED = {
    "surgical-candidacy": {
        "unresectable", "medically-inoperable", "patient-declined", "candidate", "undetermined",
    },
    "metastatic-extent": {"none", "localised", "regional", "oligometastatic", "disseminated"},
    "chemosensitivity": {"sensitive", "resistant"},
    "last-chemo-response": {"CR", "PR", "SD", "PD"}, "recist-trend": {"CR", "PR", "SD", "PD"},
    "cachexia-stage": {"none", "precachexia", "cachexia", "refractory"},
    "driver-alteration": {"positive", "negative"},
    "portal-vein": {"patent", "branch-thrombosis", "main-thrombosis", "hepatofugal"},
    "ascites-grade": {"none", "mild", "moderate-severe"},
    "encephalopathy-grade": {"none", "grade-1-2", "grade-3-4"},
    "pregnancy-test": {"10828004", "260385009"},
}  # fmt: skip
_ANSWERS = {
    "LA9622-7": 0, "LA9623-5": 1, "LA9624-3": 2, "LA9625-0": 3, "LA9626-8": 4, "LA9627-6": 5,
}  # fmt: skip
_GRADED = ["grade-1-2", "grade-3-4"]
_GRADES = {"none": 1, "mild": 2, "grade-1-2": 2, "moderate-severe": 3, "grade-3-4": 3}
_CHILD_PUGH: dict[str, Callable[[Decimal], int]] = {
    "bilirubin": lambda v: 1 if v < 2 else 2 if v <= 3 else 3,
    "albumin": lambda v: 1 if v > D("3.5") else 2 if v >= D("2.8") else 3,
    "inr": lambda v: 1 if v < D("1.7") else 2 if v <= D("2.3") else 3,
    "ascites-grade": lambda _: 0,
    "encephalopathy-grade": lambda _: 0,
}


def _is_of(resource: Resource, name: str) -> bool:
    for each in resource["code"].get("coding", []):
        if each.get("system") == LOINC and each["code"] in _LOINC.get(name, ()):
            return True
        if each.get("system") == LOCAL and each["code"] == f"io-{name}":
            return True
    return False


def _recent(resource: Resource) -> bool:
    day = date.fromisoformat(resource["effectiveDateTime"][:10])
    if resource["status"] not in ("final", "amended", "corrected"):
        return False
    return timedelta(0) <= AS_OF - day <= timedelta(30)


def _with_any_age(record: Record, name: str) -> list[tuple[date, str, Any]]:
    found = []
    for each in record.observations:
        value = _value(each, name) if _is_of(each, name) else None
        if value is not None and each["status"] in ("final", "amended", "corrected"):
            found.append((date.fromisoformat(each["effectiveDateTime"][:10]), "", value))
    return found


def _value(resource: Resource, name: str) -> Span | Codes | None:
    """Return the value of a result; None where it is not usable."""
    told = [key for key in resource if re.match(r"value[A-Z]", key)]
    if len(told) != 1 or "modifierExtension" in resource:
        return None
    value = resource[told[0]]
    read: dict[str, Callable[[], Span | Codes | None]] = {
        "valueBoolean": lambda: frozenset({str(value).lower()}),
        "valueInteger": lambda: _integer(value, name),
        "valueQuantity": lambda: _quantity(value, name),
        "valueCodeableConcept": lambda: _concept(value, name),
    }
    return read[told[0]]() if told[0] in read else None


def _integer(value: int, name: str) -> Span | None:
    if name not in _INTEGERS:
        return None
    low, high = _INTEGERS[name]
    fits = low <= value <= high and (name != "karnofsky" or value % 10 == 0)
    return (D(value), D(value)) if fits else None


def _concept(value: Mapping[str, Any], name: str) -> Span | Codes | None:
    coding = value.get("coding", [])
    if name == "ecog":
        known = [D(_ANSWERS[c["code"]]) for c in coding if c.get("code") in _ANSWERS]
        return (min(known), max(known)) if known else None
    if name in ("stage-group", "m-category"):
        return _staged(value, name)
    system = SNOMED if name == "pregnancy-test" else LOCAL
    codes = {c.get("code") for c in coding if c.get("system") == system}
    return frozenset(str(each) for each in codes & _CODED.get(name, set())) or None


def _staged(value: Mapping[str, Any], name: str) -> Codes | None:
    text = value.get("text", "").strip()
    if name == "stage-group":
        match = re.fullmatch(r"(?:stage\s*)?(IV|III|II|I)([A-C]?)\d?", text, re.IGNORECASE)
        return frozenset({(match[1] + match[2]).upper()}) if match else None
    match = re.fullmatch(r"[cp]?(M[01])[a-c]?", text, re.IGNORECASE)
    return frozenset({match[1].upper()}) if match else None


def _quantity(value: Mapping[str, Any], name: str) -> Span | None:
    unit = value.get("code", value.get("unit", ""))
    factor = _UNITS.get(name, {}).get(unit)
    number = value.get("value")
    if factor is None or number is None:
        return None
    plausible = _BOUNDS.get(name) or tables()["plausibility"][name]
    least, most = (D(each) for each in plausible)
    exact = D(number) * factor
    low, high = {
        None: (exact, exact),
        "<": (-FAR, exact - JUST),
        "<=": (-FAR, exact),
        ">": (exact + JUST, FAR),
        ">=": (exact, FAR),
    }.get(value.get("comparator"), (FAR, -FAR))
    low, high = max(low, least), min(high, most)
    return (low, high) if low <= high else None


def _ecog_of(karnofsky: Decimal) -> Decimal:
    steps = ((100, 0), (80, 1), (70, 2), (50, 3), (10, 4))
    return D(next(score for least, score in steps if karnofsky >= least))


def _sexes(patient: Resource) -> tuple[str, ...]:
    sex = patient.get("gender")
    return (sex,) if sex in ("male", "female") else ("male", "female")


def _ckd_epi(creatinine: Decimal, age: int, sex: str) -> Decimal:
    female = sex == "female"
    k, a = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = float(creatinine) / k
    value = 142 * min(ratio, 1) ** a * max(ratio, 1) ** -1.2 * 0.9938**age
    return D(value * 1.012 if female else value)


_ORGANS = {
    "C78.0": "lung", "C78.1": "mediastinum", "C78.2": "pleura", "C78.3": "respiratory",
    "C78.4": "bowel", "C78.5": "bowel", "C78.6": "peritoneum", "C78.7": "liver",
    "C78.8": "digestive", "C79.0": "urinary", "C79.1": "urinary", "C79.2": "skin",
    "C79.3": "brain", "C79.4": "cns", "C79.5": "bone", "C79.6": "ovary", "C79.7": "adrenal",
    "C79.8": "other",
}  # fmt: skip
_PRIMARIES = {
    "C18": "colorectal", "C19": "colorectal", "C20": "colorectal", "C16": "stomach",
    "C15": "oesophagus", "C25": "pancreas", "C50": "breast", "C34": "lung", "C43": "melanoma",
    "C69.3": "melanoma", "C69.4": "melanoma", "C80.1": "unknown", "Z85.038": "colorectal",
    "Z85.3": "breast",
}  # fmt: skip
_NO_PRIMARY = ("C22.9", "C77", "C78", "C79", "C7B", "C80")
_CONTRAST = ("293637006", "426722004")
_SETS: dict[str, tuple[str, ...]] = {
    "dx-lung": ("C34",),
    "dx-liver-primary": ("C22.0", "C22.1", "C22.2", "C22.3", "C22.4", "C22.7", "C22.8"),
    "dx-liver-mets": ("C78.7",), "dx-stomach": ("C16",), "dx-pancreas": ("C25",),
    "dx-duodenum": ("C17.0",),
    "dx-limb": ("C40", "C47.1", "C47.2", "C49.1", "C49.2", "C43.6", "C43.7"),
    "dx-oesophagus": ("C15", "C16.0"),
    "bleeding-disorder": (
        "D65", "D66", "D67", "D68.0", "D68.1", "D68.2", "D68.3", "D68.4", "D68.8", "D68.9",
    ),
    "active-infection": (
        "A40", "A41", "R65.2", "K65", "K75.0", "K83.0", "T80.2", "T82.7",
    ),
    "resistant-histology": ("C64", "C49.A"), "haemoptysis": ("R04.2",), "cachexia": ("R64",),
    "hepatic-encephalopathy": ("K76.82",), "hepatorenal": ("K76.7",),
    "high-risk-varices": ("I85",), "oesophageal-fistula": ("J86.0",),
    "airway-compression": ("J98.09", "J39.8"), "hit": ("D75.82",),
    "gi-bleed-perforation": ("K92.2", "K63.1", "K25.0", "K25.4", "K26.1", "K27.2", "K28.6"),
    "critical-limb-ischaemia": ("I70.22", "I70.23", "I70.24", "I70.25", "I70.26"),
}  # fmt: skip


def _in_set(icd: str, name: str, codes: tuple[str, ...]) -> bool:
    if name == "active-infection" and icd.startswith("K83.01"):
        return False
    if name == "hepatorenal":
        return icd == "K76.7"
    return icd.startswith(codes)


_TUMOUR = (
    "cancer", "carcinoma", "tumor", "tumour", "neoplasm", "malignan", "sarcoma", "melanoma",
    "blastoma", "hepatoma", "metasta",
)  # fmt: skip
_ORGAN_WORDS = {
    "dx-lung": ("lung", "bronch", "pulmon"), "dx-liver-primary": ("hepat", "liver", "cholangio"),
    "dx-stomach": ("stomach", "gastric"), "dx-pancreas": ("pancrea",), "dx-duodenum": ("duoden",),
    "dx-limb": (" leg", " arm", " thigh"), "dx-oesophagus": ("oesophag", "esophag", "cardia"),
}  # fmt: skip
_ALERTS = {
    "bleeding-disorder": ("hemophilia", "haemophilia", "willebrand", "coagulopath"),
    "active-infection": ("sepsis", "septic", "peritonitis"),
    "cachexia": ("cachex", "cachec"),
}


def _no_alert(text: str) -> bool:
    bare = re.sub(r"^(no|known|past|personal|encounter for) ", "", text.strip())
    openings = ("benign", "family history", "history of", "screening", "no evidence")
    return bare.startswith(openings) or text.strip().startswith(openings)


def _alert(name: str, text: str) -> bool:
    if _no_alert(text):
        return False
    tumour = any(word in text for word in _TUMOUR)
    if name in _ORGAN_WORDS:
        secondary = "secondary" in text or re.search(r"metasta\S*.* (to|in|of)\b", text)
        return tumour and not secondary and any(w in f" {text}" for w in _ORGAN_WORDS[name])
    if name == "dx-liver-mets":
        return ("hepat" in text or "liver" in text) and "metasta" in text
    if name == "resistant-histology":
        return "hypernephr" in text or (
            tumour and any(word in text for word in ("stromal", "kidney", "renal"))
        )
    return any(word in text for word in _ALERTS.get(name, ()))


def _biliary(resource: Resource) -> str:
    if not any(each["code"] == "0F798DZ" for each in resource["code"].get("coding", [])):
        return NO
    status = resource.get("status")
    if status in ("preparation", "in-progress", "on-hold", "stopped", "completed"):
        return YES
    return NO if status in ("not-done", "entered-in-error") else OPEN


def _radiotherapy(resource: Resource) -> str:
    if not any(each["code"] == "33195004" for each in resource["code"].get("coding", [])):
        return NO
    status = resource.get("status")
    if resource["resourceType"] == "Procedure":
        return YES if status == "in-progress" else NO
    when = resource.get("occurrenceDateTime")
    days = None if when is None else (date.fromisoformat(when[:10]) - AS_OF).days
    if status in ("revoked", "completed", "entered-in-error") or (days is not None and days > 28):
        return NO
    if days is None or status != "active":
        return OPEN
    return YES if days >= -28 else NO
