"""Questions of more than one solve: fronts, ladders, alternatives, conflicts, explanations, confidence."""

__all__: list[str] = []
