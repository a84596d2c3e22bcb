"""Child-Pugh and ALBI."""

from ivfhir.dosing.albi import albi
from ivfhir.dosing.calculator import Calculator, Outcome
from ivfhir.dosing.child_pugh import ASCITES, ENCEPHALOPATHY, child_pugh
from ivfhir.dosing.keys import WORD, Given, Key, Unit
from ivfhir.dosing.units import ALBUMIN_G_L_PER_G_DL, BILIRUBIN_UMOL_L_PER_MG_DL

_PARTS = (
    Key(
        "bilirubin",
        "total bilirubin",
        "mg_dl",
        "mg/dL",
        required=False,
        others=(Unit("umol_l", "umol/L", divisor=BILIRUBIN_UMOL_L_PER_MG_DL),),
    ),
    Key(
        "albumin",
        "serum albumin",
        "g_dl",
        "g/dL",
        required=False,
        others=(Unit("g_l", "g/L", divisor=ALBUMIN_G_L_PER_G_DL),),
    ),
    Key("inr", "international normalised ratio", required=False),
    Key("ascites", "ascites", kind=WORD, words=tuple(ASCITES), required=False),
    Key("encephalopathy", "its grade", kind=WORD, words=tuple(ENCEPHALOPATHY), required=False),
)
_ALBI_KEYS = (
    Key(
        "bilirubin",
        "total bilirubin",
        "umol_l",
        "umol/L",
        others=(Unit("mg_dl", "mg/dL", BILIRUBIN_UMOL_L_PER_MG_DL),),
    ),
    Key(
        "albumin",
        "serum albumin",
        "g_l",
        "g/L",
        others=(Unit("g_dl", "g/dL", ALBUMIN_G_L_PER_G_DL),),
    ),
)


def _child_pugh(given: Given) -> Outcome:
    found = child_pugh(**{key.name: given.values.get(key.name) for key in _PARTS})
    grade = {"class": " or ".join(found.classes)}
    if found.low == found.high:
        return Outcome({"score": found.low, **grade}, "{score}")
    missing = ", ".join(part for part, (low, high) in found.points.items() if low != high)
    note = f"Not given: {missing}; the score is an interval (E-13)."
    return Outcome({"low": found.low, "high": found.high, **grade}, "{score}", notes=(note,))


def _albi(given: Given) -> Outcome:
    found = albi(**given.values)
    return Outcome({"score": found.score, "grade": found.grade}, "{score}")


CHILD_PUGH = Calculator(
    "child-pugh",
    "Child-Pugh score; a part that is not given makes it an interval",
    "CALC-06; [R30] ccjm.org Table 1, msdmanuals.com",
    _PARTS,
    _child_pugh,
)
ALBI = Calculator(
    "albi",
    "ALBI score of liver function",
    "CALC-07; Johnson 2015 [R29]; cut-offs general knowledge",
    _ALBI_KEYS,
    _albi,
)
