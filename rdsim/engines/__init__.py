"""The engines: `process` (SimPy, the readable reference) and `compiled` (numba, fast), with their rules."""

__all__: list[str] = []
