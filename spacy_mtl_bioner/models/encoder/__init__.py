"""A sequence in context: one option a file."""
