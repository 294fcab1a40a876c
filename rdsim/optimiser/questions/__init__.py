"""Questions of more than one solve: fronts, ladders, alternatives, conflicts, explanations, confidence."""
