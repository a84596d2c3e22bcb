"""Factors between units: the table of E-07, each number once."""

from decimal import Decimal

CM_PER_INCH = Decimal("2.54")
CM_PER_M = Decimal(100)
KG_PER_POUND = Decimal("0.45359237")
BILIRUBIN_UMOL_L_PER_MG_DL = Decimal("17.1")
CREATININE_UMOL_L_PER_MG_DL = Decimal("88.42")
ALBUMIN_G_L_PER_G_DL = Decimal(10)
