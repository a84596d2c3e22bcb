"""Concepts in plain English: their names, and how a missing one is obtained.

Keys are those of the specification's data dictionary. A key that stands not here is shown with its
hyphens as spaces: a new protocol reads well enough before its words are added.
"""

CONCEPTS = {
    "age-years": "Age",
    "sex": "Recorded sex",
    "ecog": "ECOG performance status",
    "platelets": "Platelets",
    "anc": "Neutrophils",
    "haemoglobin": "Haemoglobin",
    "inr": "INR",
    "creatinine": "Creatinine",
    "egfr": "eGFR",
    "bilirubin": "Bilirubin",
    "albumin": "Albumin",
    "weight": "Weight",
    "height": "Height",
    "bmi": "BMI",
    "haemoptysis": "Haemoptysis",
    "cachexia": "Cachexia",
    "cachexia-stage": "Cachexia stage",
    "weight-loss-6m-pct": "Weight loss in 6 months",
    "stage-group": "Stage group",
    "m-category": "M category",
    "metastatic-organ-count": "Organs with metastases",
    "distant-lesion-count": "Distant lesions",
    "metastatic-extent": "MDT statement on metastases",
    "surgical-candidacy": "MDT statement on surgery",
    "chemosensitivity": "Statement on chemosensitivity",
    "prior-chemo-lines": "Earlier lines of chemotherapy",
    "chemo-pd-lines": "Lines with progression at best",
    "last-chemo-response": "Response to the last line",
    "contrast-allergy": "Contrast allergy",
    "pregnancy-status": "Pregnancy test or status",
    "dx-lung": "Lung cancer diagnosis",
    "bleeding-disorder": "Bleeding disorder",
    "active-infection": "Active infection",
    "resistant-histology": "Resistant histology",
    "recist-trend": "RECIST trend",
    "vdt-days": "Volume doubling time",
    "driver-alteration": "Driver alteration",
    "standard-options-reviewed": "Standard options",
    "childbearing-potential": "Childbearing potential",
    "conditions": "Problem list",
    "allergies": "Allergy list",
}

IN_RECORD = {"dx-lung": "Problem list", "contrast-allergy": "Allergy list", "ecog": "ECOG"}
"""Names of concepts where they head a fact that was found, when these differ."""

OBTAIN = {
    "ecog": "a performance status",
    "platelets": "a blood count",
    "anc": "a blood count with neutrophils",
    "haemoglobin": "a blood count",
    "inr": "a blood result",
    "creatinine": "a blood result",
    "egfr": "a creatinine or eGFR result",
    "bilirubin": "a blood result",
    "albumin": "a blood result",
    "weight": "a measurement",
    "height": "a measurement",
    "bmi": "weight and height",
    "weight-loss-6m-pct": "one weeks or months older than the last",
    "metastatic-organ-count": "a coded problem list",
    "cachexia": "a coded problem list",
    "cachexia-stage": "a clinician's statement",
    "surgical-candidacy": "a statement of the tumour board (MDT)",
    "metastatic-extent": "a statement of the tumour board (MDT)",
    "stage-group": "a staging entry",
    "m-category": "a staging entry",
    "distant-lesion-count": "a count from imaging",
    "chemosensitivity": "a clinician's statement",
    "prior-chemo-lines": "the chemotherapy history",
    "chemo-pd-lines": "the chemotherapy history",
    "last-chemo-response": "the chemotherapy history",
    "contrast-allergy": "an entry in the allergy list, or 'no known allergy'",
    "pregnancy-status": "a pregnancy test, or a note that it cannot apply",
    "bleeding-disorder": "a coded problem list",
    "active-infection": "a coded problem list",
    "resistant-histology": "a coded problem list",
    "haemoptysis": "a coded problem list",
    "dx-lung": "a confirmed, coded diagnosis on the problem list",
    "age-years": "the full birth date",
    "sex": "the recorded sex",
    "recist-trend": "a comparison of two images",
    "vdt-days": "two measurements of the tumour with dates",
    "driver-alteration": "a molecular result",
    "standard-options-reviewed": "a note that the standard options were reviewed",
}


def concept(key: str) -> str:
    """Return the concept's name for a heading or a row."""
    return CONCEPTS.get(key) or key.replace("-", " ").capitalize()


def concept_inside(key: str) -> str:
    """Return the concept's name as it stands inside a sentence (`platelets`, but `INR`)."""
    name = concept(key)
    return name if name[1:2].isupper() or name[:1].islower() else name[:1].lower() + name[1:]
