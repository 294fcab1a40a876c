"""What each extension point of the world offers its functions, by name, and what they must answer.

A function takes any subset of the arguments, by name, and parameters of its own besides; see `rdsim.registry`. All
must depend on their arguments alone. Functions of the engines (gate policies, purse rules, queue rules) are asked
number by number: the compiled engine compiles them, calculates in 64-bit integers, and takes the values that globals
have when it compiles. Distributions and market value models are asked for whole arrays, in numpy, outside the engines;
constraint families for rows and words.
"""

from __future__ import annotations

from rdsim.registry import Contract

__all__ = [
    "CHOOSING_WORTH",
    "FAMILY_ENGINES",
    "FAMILY_REMAINING",
    "FAMILY_ROWS",
    "FAMILY_WORDS",
    "GATE_DROPS",
    "GATE_JUDGE",
    "MARKET_VALUE",
    "PURSE_BLOCKS",
    "PURSE_PAYS",
    "QUANTILE",
    "QUEUE_KEY",
    "STATED_STUDY",
    "STUDY",
]

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

QUANTILE = Contract(
    "distribution, quantile",
    {
        "u": "array of probabilities in (0, 1)",
        "score": "their standard normal quantiles",
        "sigma": "log standard deviation that is asked for, above 0, of a shape that fits u; at 0, factors are 1",
    },
    "an array of the shape of u: the factor at each probability, above 0; of step times on their median, of market "
    "values over the distribution's mean",
)

MARKET_VALUE = Contract(
    "market value model, value",
    {
        "listed": "value as technologies.csv or experts have it, money, by project",
        "luck": "factor with mean 1, by replication and project; who does not take it has it multiplied by rdsim",
        "rights": "part of the value that home keeps and can realise, by replication and project",
        "timeliness": "part that is left of what comes after the deadline, by replication and project",
        "late": "days from the programme's deadline to the market date, negative before, by replication and project",
        "day": "market date in days from the scenario's first day, -1 for never, by replication and project",
        "size": "world market that it addresses, money a year, by project",
        "share": "share of that market won on success, by project",
    },
    "value at the market date, money, at least 0, of shape (replications, projects), or what numpy broadcasts to that: "
    "numbers by project alone, shape (P,), hold in every replication, numbers by replication have shape (R, 1)",
)

STUDY = Contract(
    "study",
    {
        "scenario": "the scenario, with what was overridden (`rdsim.Scenario`)",
        "posed": "its portfolio problem: options sampled, rows stated (`rdsim.search.Instance`)",
        "given": "the portfolio that was named, and whose it is (`rdsim.search.Given`); None if none was",
        "portfolio": "the portfolio that was named (`rdsim.Portfolio`), or else the optimiser's choice",
        "replications": "how many to simulate",
        "seed": "seed of all draws",
        "solving": "how problems are solved: solver, gap, time limit, effort (`rdsim.Solving`)",
        "running": "how portfolios are simulated: engine and threads (`rdsim.Running`)",
        "progress": "a function to be called with a stage's name, how much of it is done, and how much there is",
    },
    "a `rdsim.study.Study`",
)

STATED_STUDY = Contract(
    "study of a stated problem",
    {
        "statement": "the problem, with its name, sense and unit (`rdsim.optimiser.problem.folder.StatedProblem`)",
        "solving": "how it is solved: solver, gap (None: none was named), time limit, seed, threads (`rdsim.Solving`)",
    },
    "a `rdsim.study.Study`",
)

CHOOSING_WORTH = Contract(
    "rule for choosing, worth",
    {
        "value": "expected value of each option by the scenario's aim, money",
        "cost": "money that it asks for in all, above 0",
        "score": "evaluation score of its technology, 0 to 100",
        "group": "number of its technology",
        "stage": "number of its start year, from 0",
        "joint": "whether it has a partner",
        "lot": "place of its technology in an order drawn at random",
        "luck": "uniform number of its own in (0, 1)",
        "choices": "the options themselves (`rdsim.Choice`), a list",
        "technologies": "their technologies (`rdsim.domain.Technology`), a list",
        "options": "what each came to alone, sampled (`rdsim.options.Options`)",
        "scenario": "the scenario",
    },
    "an array with a number for each option, or several arrays, the first of which decides and the next among equals: "
    "options are tried in this order, the largest first; nan is never tried",
)

FAMILY_ROWS = Contract(
    "constraint family, rows",
    {
        "scenario": "the scenario",
        "options": "what may be funded, and what each option came to alone (`rdsim.families.Options`)",
        "openings": "partners that may be opened, at which stages and at what cost (`rdsim.families.Openings`)",
        "years": "fiscal years of the scenario, a range",
        "ratios": "payment ratios by programme: to what multiple of its money budget rows hold expected payments",
        "past": "what was done before (`rdsim.families.Past`) if a plan is decided again, else None",
    },
    "rows (`rdsim.families.Row`), in the order in which they are listed",
)

FAMILY_WORDS = Contract(
    "constraint family, words",
    {
        "scenario": "the scenario",
        "what": "id of what the row is about",
        "year": "its fiscal year, or 0",
        "side": "which of several limits it is",
    },
    "the row's name in words, as: the 2025 budget of Leapfrogging technologies",
)

FAMILY_REMAINING = Contract(
    "constraint family, remaining",
    {
        "scenario": "the scenario as it was announced",
        "left": "the scenario of what is left: budgets are the purse of the year and the money of later years",
        "past": "what was done before (`rdsim.families.Past`)",
        "what": "id of what the row is about",
        "year": "its fiscal year, or 0",
        "side": "which of several limits it is",
        "sense": "<=, >= or ==",
        "cap": "the cap that the row has in the problem of what is left",
        "held": "what projects under way use of it",
        "opening": "what the partners that they still have to open use of it",
        "gone": "what projects that are over used of it, as the first plan counted them",
    },
    "the row's cap when a plan is decided again",
)

FAMILY_ENGINES = Contract(
    "constraint family, engines",
    {"scenario": "the scenario"},
    "the scenario as the engines are to see it: for instance with a facility more that steps wait for",
)

QUEUE_KEY = Contract(
    "queue rule, key",
    {
        "rank": "place of the project in order of rank, from 0",
        "waited": "days that it has waited here",
        "days": "days that it asks for: of a review, of what is left of the step; 0 for a place",
        "trl": "TRL reached, 1 to 9",
        "target": "target TRL",
        "deadline": "days from today to its programme's deadline, negative after it",
        "value": "its value on the market as listed or judged, money",
        "tranche": "number of its present tranche, from 0",
    },
    "a number: who has the smallest is looked at first, of equals the project of higher rank",
)
