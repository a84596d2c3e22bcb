"""Build what plan_definitions/ derives from sources: ELM, Library and ValueSet resources.

The journey of one library: `LUNG.cql` -(translate)-> `LUNG.json`, its ELM -(library)->
`Library-LUNG.json`.
`lock` records which CQL an ELM was made from; `stale` fails when a committed file is not what its
sources give.
"""
