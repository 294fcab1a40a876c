"""A gate policy that forgives a project's first reviews."""

from rdsim import extend

PATIENCE = extend.Parameter("patience", 1, lowest=0, highest=9, whole=True, description="Reviews that are forgiven.")


@extend.gate_policy("patient", parameters=[PATIENCE])
def judge(lead, reviews, patience):
    """On plan if no step behind, or if it is an early review."""
    return lead >= 0 or reviews < patience
