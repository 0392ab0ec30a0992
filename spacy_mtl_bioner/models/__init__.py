"""The multi-task model: embedding, encoder, sharing and decoder parts, and the root that runs them in one graph."""
