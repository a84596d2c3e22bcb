"""Which element of the protocols realises which statement of the seeds."""
