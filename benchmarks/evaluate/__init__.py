"""Patients of 50 resources decided: our evaluator beside the Java engine, in one run.

Both get the same patients as JSON text, the same package and the same evaluation instant; one
thread each, one after the other. Timed is everything from the JSON to the decision: status, lists,
modes and every criterion with its evidence, of LUNG alone and of all protocols with the route.
They must agree on each patient and protocol, or there is no figure.
"""
