"""What the R4 specification says of its types, cut down to a table that the wheel can carry.

python -m tools.r4 build     write ivfhir/fhir/r4/ anew (needs npm)
python -m tools.r4 check     is it what this tool wrote?
"""
