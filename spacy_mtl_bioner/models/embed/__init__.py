"""Tokens to vectors: one option a file."""
