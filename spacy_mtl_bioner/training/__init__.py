"""What ``spacy train`` takes from the package: reader, batcher, optimizers, logger."""
