"""The spaCy components and what they need: selection of corpora, groups of entities and their merging, unified labels,
revisions (brackets, abbreviations, consistency), scores, tokenizer, sentences."""
