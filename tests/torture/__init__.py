"""Runs that are killed, many times over: `make torture`."""
