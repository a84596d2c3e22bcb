"""Doses and scores: one file a calculation, all in Decimal, units in the names of parameters.

Nothing here knows a protocol, a server or a page. A value outside its bounds is refused, never
clamped. The specification's section D.3 has the formulas and their test vectors (CALC-01 to 16).
"""
