"""Which corpora share what: one option a file."""
