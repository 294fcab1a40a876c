"""What a user's own file brings, under a name: decorators, one for each extension point.

>>> from rdsim import extend
>>> @extend.gate_policy("patient-example", parameters=[extend.Parameter("patience", 1, lowest=0, whole=True)])
... def judge(lead, reviews, patience):
...     return lead >= 0 or reviews < patience

A scenario then says ``policy = "patient-example"`` and ``[programmes.x.gate.parameters]`` with ``patience = 2``. What
each function may take, by name and any subset, is in `rdsim.contracts`. A function that is defined again by the same
module takes the place of the first; another needs ``replace=True``, and ``unregister`` of a registry takes one back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, get_args

from rdsim.choice_rules import CHOOSING_RULES, ChoosingRule
from rdsim.distributions import DISTRIBUTIONS, FactorDistribution
from rdsim.errors import ExtensionError, Fault, tell_new_name
from rdsim.families import FAMILIES, Counted, Family, Row
from rdsim.families.family import cap_above_past
from rdsim.figures import Figure, Sense
from rdsim.figures import register as register_figure
from rdsim.gates import GATE_POLICIES, GatePolicy, never_drop
from rdsim.markets import MARKET_MODELS, MarketModel
from rdsim.purses import PURSE_RULES, PurseRule, always
from rdsim.queues import QUEUE_RULES, QueueRule
from rdsim.registry import Numbers, Parameter, Registry, Setting, Text
from rdsim.studies.question import Option, Question
from rdsim.studies.questions import QUESTIONS

__all__ = [
    "Counted",
    "Numbers",
    "Option",
    "Parameter",
    "Row",
    "Text",
    "choosing_rule",
    "constraint_family",
    "distribution",
    "figure",
    "gate_policy",
    "market_model",
    "purse_rule",
    "queue_rule",
    "study",
]


def __getattr__(name: str) -> object:
    if name != "Table":
        raise AttributeError(f"module 'rdsim.extend' has no attribute {name!r}")
    tell_new_name("rdsim.extend.Table", "rdsim.extend.Numbers")
    return Numbers


F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
_COUNTED = Literal["market", "course", "portfolio"]


def _registering(registry: Registry[T], name: str, make: Callable[[Callable[..., Any]], T], replace: bool) -> Any:
    """A decorator that registers what is made of a function, and leaves the function as it is."""
    _require_name(registry.noun, name)

    def register(function: F) -> F:
        registry.register(name, make(function), replace=replace)
        return function

    return register


def _require_name(noun: str, name: object) -> None:
    """Raises ExtensionError for a decorator without brackets, which would register nothing."""
    if callable(name):
        rule, found = "must have a name, in brackets behind the decorator", "a decorator without brackets"
        raise ExtensionError((Fault(f"{noun} {getattr(name, '__name__', '')!r}", rule, found),))


def gate_policy(
    name: str,
    *,
    parameters: Sequence[Parameter] = (),
    drops: Callable[..., Any] | None = None,
    rounds: bool = False,
    replace: bool = False,
) -> Callable[[F], F]:
    """The function judges whether a project is on plan (`contracts.GATE_JUDGE`).

    With `rounds`, or with `drops` (`contracts.GATE_DROPS`), reviews wait for half-year rounds. Raises ExtensionError.
    """
    together = rounds or drops is not None

    def make(judge: Callable[..., Any]) -> GatePolicy:
        return GatePolicy(judge, together, drops or never_drop, parameters=tuple(parameters))

    found: Callable[[F], F] = _registering(GATE_POLICIES, name, make, replace)
    return found


def purse_rule(
    name: str,
    *,
    parameters: Sequence[Parameter] = (),
    blocks: Callable[..., Any] = always,
    replace: bool = False,
) -> Callable[[F], F]:
    """The function says whether a request that fits is paid now (`contracts.PURSE_PAYS`).

    `blocks` says whether one that is not paid makes those behind it wait (`contracts.PURSE_BLOCKS`); by default it
    does. Raises ExtensionError.
    """

    def make(pays: Callable[..., Any]) -> PurseRule:
        return PurseRule(pays, blocks, parameters=tuple(parameters))

    found: Callable[[F], F] = _registering(PURSE_RULES, name, make, replace)
    return found


def distribution(name: str, *, parameters: Sequence[Parameter] = (), replace: bool = False) -> Callable[[F], F]:
    """The function is the quantile function of a factor, over whole arrays (`contracts.QUANTILE`).

    Raises ExtensionError.
    """

    def make(quantile: Callable[..., Any]) -> FactorDistribution:
        return FactorDistribution(quantile, parameters=tuple(parameters))

    found: Callable[[F], F] = _registering(DISTRIBUTIONS, name, make, replace)
    return found


def market_model(name: str, *, parameters: Sequence[Parameter] = (), replace: bool = False) -> Callable[[F], F]:
    """The function gives values at the market date, over whole arrays (`contracts.MARKET_VALUE`).

    Raises ExtensionError.
    """

    def make(value: Callable[..., Any]) -> MarketModel:
        return MarketModel(value, parameters=tuple(parameters))

    found: Callable[[F], F] = _registering(MARKET_MODELS, name, make, replace)
    return found


def choosing_rule(name: str, *, parameters: Sequence[Parameter] = (), replace: bool = False) -> Callable[[F], F]:
    """The function says what each option is worth to a simple rule (`contracts.CHOOSING_WORTH`).

    Options are taken one by one, the largest first, each only if every row still holds. The rule is compared in plans
    of scenarios that have a table ``[rules.NAME]``, and is a policy of sweeps by its name. Raises ExtensionError.
    """

    def make(worth: Callable[..., Any]) -> ChoosingRule:
        return ChoosingRule(worth, parameters=tuple(parameters))

    found: Callable[[F], F] = _registering(CHOOSING_RULES, name, make, replace)
    return found


def study(
    name: str,
    *,
    options: Sequence[Option] = (),
    parameters: Sequence[Parameter] = (),
    help: str = "",  # noqa: A002 - as a command's
    example: str = "",
    replace: bool = False,
) -> Callable[[F], F]:
    """The function answers a question with a `rdsim.study.Study` (`contracts.STUDY`); `rdsim NAME` asks it.

    Options and parameters are its command's, by their names; `help` is by default the first line of its documentation,
    `example` a command as ``rdsim NAME my-scenario --count 3`` that its help shows. Raises ExtensionError.
    """

    def make(function: Callable[..., Any]) -> Question:
        first = (function.__doc__ or "").strip().partition("\n")[0]
        return Question(function, help or first, tuple(options), example=example, parameters=tuple(parameters))

    found: Callable[[F], F] = _registering(QUESTIONS, name, make, replace)
    return found


def figure(
    name: str,
    *,
    label: str = "",
    unit: str = "count",
    sense: Sense = "more",
    counted: _COUNTED = "course",
    replace: bool = False,
) -> Callable[[F], F]:
    """The function says what each project adds to a figure, or what a portfolio as a whole has of it.

    With `counted` as "course", what a project adds is settled by the course of its R&D (`figures.PROJECTS`); as
    "market", it comes with the market, and counts nothing of a technology that never comes there; as "portfolio", it
    is of the portfolio as a whole (`figures.PORTFOLIO`): told, but never aimed at. `unit` is money (the scenario's),
    count, share, days, or words. Raises ExtensionError.
    """

    _require_name("figure", name)
    if counted not in get_args(_COUNTED):
        rule = f"must be one of {', '.join(get_args(_COUNTED))}"
        raise ExtensionError((Fault(f"figure {name!r}, counted", rule, repr(counted)),))

    def register(function: F) -> F:
        words = label or name.replace("_", " ")
        parts: dict[str, Any] = {counted: function}
        register_figure(Figure(name, words, unit, sense, **parts), replace=replace)
        return function

    return register


def constraint_family(
    name: str,
    *,
    parameters: Sequence[Setting] = (),
    words: Callable[..., str] | None = None,
    counts: Counted | None = None,
    remaining: Callable[..., float] = cap_above_past,
    engines: Callable[..., Any] | None = None,
    replace: bool = False,
) -> Callable[[F], F]:
    """The function makes the rows of a constraint family (`contracts.FAMILY_ROWS`).

    It holds in scenarios that have a table ``[families.NAME]``, which gives its parameters. `words` tells a row
    (`contracts.FAMILY_WORDS`; without it, by its name), `counts` says what rows count if not
    money, and whether of projects that run, `remaining` what cap is left when a plan is decided again
    (`contracts.FAMILY_REMAINING`), `engines` how the engines see the scenario (`contracts.FAMILY_ENGINES`). Raises
    ExtensionError.
    """

    def make(rows: Callable[..., Any]) -> Family:
        return Family(rows, words, counts, remaining, engines, parameters=tuple(parameters))

    found: Callable[[F], F] = _registering(FAMILIES, name, make, replace)
    return found


def queue_rule(name: str, *, parameters: Sequence[Parameter] = (), replace: bool = False) -> Callable[[F], F]:
    """The function gives the key by which those who wait are looked at, the smallest first (`contracts.QUEUE_KEY`).

    Raises ExtensionError.
    """

    def make(key: Callable[..., Any]) -> QueueRule:
        return QueueRule(key, parameters=tuple(parameters))

    found: Callable[[F], F] = _registering(QUEUE_RULES, name, make, replace)
    return found
