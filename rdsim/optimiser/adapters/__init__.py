"""Solvers: one interface to every solver library, and nobody above knows which one it is."""
