"""What a training is made of: for ``spacy train`` reader, batcher, orders of corpora, optimizers, rates, logger and
callbacks; for ``mtl-bioner train`` a loop that can be resumed, and its checkpoints."""
