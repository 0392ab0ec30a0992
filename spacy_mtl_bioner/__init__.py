"""Multi-task biomedical named entity recognition as a spaCy pipeline component."""

__version__ = "0.1.0"
