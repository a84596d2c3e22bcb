"""`ivfhir sync` beside a plain loop that posts the same transactions, in the same run."""
