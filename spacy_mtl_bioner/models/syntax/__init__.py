"""Attention over syntactic features, between sharing and heads: one option a file."""
