"""The spaCy components and what they need: selection, merging, scores, tokenizer, sentences."""
