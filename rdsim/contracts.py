"""What each extension point of the world offers its functions, by name, and what they must answer.

A function takes any subset of the arguments, by name, and parameters of its own besides; see `rdsim.registry`. All
must depend on their arguments alone. Functions of the engines (gate policies, purse rules) are asked number
by number: the compiled engine compiles them, calculates in 64-bit integers, and takes the values that globals have
when it compiles.
"""

from __future__ import annotations

from rdsim.registry import Contract

__all__ = ["GATE_DROPS", "GATE_JUDGE", "PURSE_BLOCKS", "PURSE_PAYS"]

GATE_JUDGE = Contract(
    "gate policy, judge",
    {
        "lead": "TRL reached minus TRL planned, whole",
        "missing": "number of deliverables that are due at this gate and not handed in",
        "luck": "uniform number in (0, 1), another at each review",
        "alpha": "the gate's alpha, a probability",
        "beta": "the gate's beta, a probability",
        "tolerance": "the gate's tolerance, TRL steps",
        "reviews": "number of the project's reviews before this one",
        "trl": "TRL reached, 1 to 9",
        "target": "target TRL",
    },
    "a truth value: whether the project is on plan",
    older=6,
)

GATE_DROPS = Contract(
    "gate policy, drops",
    {
        "reviews": "number of projects that this round reviews",
        "rate_ppm": "the gate's drop_share, in millionths",
        "fraction": "what the last round carried on, in millionths; 0 at first",
    },
    "two whole numbers: how many of the worst are dropped, and the fraction carried on",
    older=3,
)

_REQUEST = {
    "amount": "what is asked for, won",
    "purse": "what is in the purse, won",
    "budget": "the fiscal year's new money, won",
    "tranche": "number of the tranche, from 0; -1 for the cost of a partner",
    "day": "day of the fiscal year, 0 to 359",
}

PURSE_PAYS = Contract("purse rule, pays", _REQUEST, "a truth value: whether a request that fits is paid now", older=5)

PURSE_BLOCKS = Contract(
    "purse rule, blocks",
    _REQUEST,
    "a truth value: whether a request that is not paid makes those behind it wait",
    older=5,
)
