"""LUNG decided for patients of 50 resources: our evaluator beside the Java engine, in one run.

Both get the same patients as JSON text, the same package and the same evaluation instant; one
thread each, one after the other. Timed is everything from the JSON to the decision: status, lists
and every criterion with its evidence. They must agree on each patient, or there is no figure.
"""
