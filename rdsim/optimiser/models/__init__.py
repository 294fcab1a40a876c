"""Models of a problem as a solver takes them: columns, rows and a matrix, and the same with other rows or values."""

__all__: list[str] = []
