"""What a protocol answers, in words."""

STATUS = {
    "eligible": "Eligible",
    "indeterminate": "Cannot tell",
    "ineligible": "Not eligible",
    "not-applicable": "Does not apply",
}
"""A protocol's status as a clinician reads it."""

NO_PLAN = "No plan"
"""What stands in place of a status where no plan can be made, whatever the answers are."""
