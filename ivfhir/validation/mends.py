"""How to mend what breaks a rule of R4: what the specification's own sentence leaves out.

The sentences are ours; the rules are those of http://hl7.org/fhir/R4/ that are met most.
"""

MENDS = {
    "att-1": "Add contentType, such as application/pdf.",
    "bdl-1": "Leave total out, or make it a searchset or history.",
    "bdl-2": "Leave search out, or make it a searchset.",
    "bdl-3": "Give each entry of a transaction, batch or history a request (method and url); leave "
    "it out elsewhere.",
    "bdl-4": "Give each entry of a response or history a response; leave it out elsewhere.",
    "bdl-5": "Give the entry a resource, a request or a response.",
    "bdl-7": "Give each entry a fullUrl of its own.",
    "bdl-8": "Leave /_history/… out of the fullUrl.",
    "con-3": "Add clinicalStatus.",
    "con-4": "Leave abatement[x] out, or make clinicalStatus inactive, resolved or remission.",
    "con-5": "Leave clinicalStatus out of what is entered in error.",
    "cpl-3": "Leave one of reference and detail out.",
    "cpt-2": "Add system: phone, email, …",
    "dom-2": "Lift the inner contained resources to the outermost one.",
    "dom-3": "Refer to it by #id from where it belongs, or remove it.",
    "dom-4": "Leave meta.versionId and meta.lastUpdated out of what is contained.",
    "dom-5": "Leave meta.security out of what is contained.",
    "dom-6": "Add text; this is advice, no error.",
    "drt-1": "Give the unit's code its system, http://unitsofmeasure.org.",
    "ext-1": "Give it one value (valueString, valueCode, …) or extensions of its own; never both, "
    "never none.",
    "obs-3": "Give the range low, high or text.",
    "obs-6": "Leave dataAbsentReason or value[x] out.",
    "obs-7": "Leave value[x] out where a component has the same code.",
    "pat-1": "Give the contact name, telecom, address or organization.",
    "per-1": "Swap or correct start and end.",
    "qty-3": "Add system, http://unitsofmeasure.org for units of UCUM, or leave code out.",
    "rat-1": "Give numerator and denominator both, or neither and an extension.",
    "ref-1": "Add the resource to contained with that id, or name it by Type/id.",
    "rng-2": "Swap or correct low and high.",
    "tim-1": "Give durationUnit and duration both, or neither.",
    "tim-2": "Give periodUnit and period both, or neither.",
    "txt-1": 'Put it into <div xmlns="http://www.w3.org/1999/xhtml">…</div>, without scripts, '
    "forms and events.",
    "vsd-1": "Add system or valueSet.",
    "vsd-2": "Add system.",
}
"""The id of a rule -> what to do."""

SAID = {"txt-1": "A narrative is simple HTML with some words in it"}
"""The id of a rule -> its sentence, where that of R4 is longer than a message may be."""
