"""Studies over trainings: which are wanted, running them under one protocol, and what comes out."""
