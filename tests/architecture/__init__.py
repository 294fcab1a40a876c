"""The structure of the house, measured: `python -m tests.architecture` prints it."""
