"""Thinc layers around torch modules, and the numerical kernels that they use."""
