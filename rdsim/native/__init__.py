"""What compiled code stands on: how functions are compiled, and how they see a contract's arrays."""

__all__: list[str] = []
