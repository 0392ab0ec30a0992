"""Vectors to tags: one option a file."""
