"""What compiled code stands on: how functions are compiled, how they see a contract's arrays, threads they run in."""

__all__: list[str] = []
