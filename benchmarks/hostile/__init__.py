"""The app against an EHR that answers whatever it can think of."""
