"""What no page may show to a clinician beside grey ids: keys, marks, raw references, ISO dates."""

import re
from functools import lru_cache
from html.parser import HTMLParser

_TYPES = (
    "AllergyIntolerance|Observation|CarePlan|RequestGroup|ServiceRequest|MedicationRequest|"
    "CommunicationRequest|ActivityDefinition|PlanDefinition|DiagnosticReport"
)
FORBIDDEN = {
    "an id of the specification": r"\b(?:LUNG-[A-Z]?\d\w*|[CXK]-[A-Z]{3,}\d?|[EI]-\d\d|CALC-\d+)\b",
    "a mark of a source": r"\[R\d+[a-z]?\]|(?<!FHIR )\bR\d{1,2}\b|\bS[03]-\d\d\b",
    "the name of a parameter": r"\b[a-z]+_[a-z_]+\b",
    "the key of a concept": (
        r"\b(?:vdt-days|recist-trend|prior-chemo-lines|chemo-pd-lines|last-chemo-response|"
        r"surgical-candidacy|metastatic-extent|stage-group|m-category|dx-lung|contrast-allergy|"
        r"pregnancy-status|bleeding-disorder|active-infection|weight-loss-6m-pct|age-years)\b"
    ),
    "a mark of provenance": r"\blit-(?:conf|GK)\b|\bseed:|\bdesign:",
    "a raw reference": rf"\b(?:Condition|Patient|Procedure|{_TYPES})/[\w.-]+",
    "the name of a resource type": rf"\b(?:{_TYPES})s?\b(?!/)",
    "a date as machines write it": r"\b\d{4}-\d\d(?:-\d\d)?\b(?!-)",
    "a code of an answer": (
        r"\bnot-(?:met|applicable|pregnant|assessed)\b|\bcontraindication-absolute\b|"
        r"\bindeterminate\b"
    ),
    "a unit as machines write it": r"10\*\d|10\^\d|\bumol\b|/uL\b|\[lb_av\]",
    "the name of a file": r"\b\w+\.(?:txt|json|cql)\b",
    "a verdict that reads wrongly": r": (?:met|not met|not present|absent)\b",
    "a placeholder": r"\bNone\b|\bnull\b|\{\{|\}\}",
}
_QUIET = frozenset({"script", "style", "title", "desc"})
_NOT_FOR_CLINICIANS = frozenset({"ref", "technical"})
"""Classes of ids, which stand last and grey, and of what is folded away for technical staff."""

_VOID = frozenset(
    {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "use", "path"}
)


class _Reader(HTMLParser):
    """Collects the visible words, without ids and what is folded away for technical staff."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            classes = set((dict(attrs).get("class") or "").split())
            quiet = tag in _QUIET or bool(classes & _NOT_FOR_CLINICIANS)
            self._open.append(quiet or any(self._open))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._open:
            self._open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself holds no words."""

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.words.append(data)


@lru_cache(maxsize=64)  # A page is asked for its words and for the wrong ones among them.
def visible_text(page: str) -> str:
    """Return the words that a page shows, without its grey ids."""
    reader = _Reader()
    reader.feed(page)
    return " ".join(" ".join(reader.words).split())


def wrong_words(page: str) -> list[str]:
    """Return a line for everything on a page that is not a clinician's word; empty is good."""
    text = visible_text(page)
    return [
        f"{what}: …{text[max(0, found.start() - 40) : found.end() + 30]}…"
        for what, pattern in FORBIDDEN.items()
        for found in re.finditer(pattern, text)
    ]
