"""The problem: its arrays, what a choice of options is worth in it and whether it is allowed, and its folder form."""

__all__: list[str] = []
