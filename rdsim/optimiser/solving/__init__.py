"""How a problem is solved: the relaxation, the search around it, walks, cuts of risk, and what judges a portfolio."""

__all__: list[str] = []
