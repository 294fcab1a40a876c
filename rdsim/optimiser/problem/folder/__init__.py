"""A portfolio problem as a folder of small tables, to be written by hand, by a spreadsheet or by a script.

Two files state a knapsack; a column of ``options.csv`` that bears the name of a row is what each option uses of it::

    options.csv              rows.csv
    option,value,weight      row,cap
    tent,6,1                 weight,5
    stove,10,2
    boat,12,3

========================  ==================================================================================
``options.csv``           **option**, **value**, group, partners (``US|TW``: several), stage, load, fixed (in or
                          out), most, and a column for each row that is used here. Without a group an option is a
                          group of its own, of which at most one option is chosen. An option without a group may be
                          chosen up to ``most`` times (1 where empty): as an option and its copies, ``boat #2``.
``rows.csv``              **row**, **cap**, sense (at most, at least, exactly, or ``<=``, ``>=``, ``==``), family,
                          shortfall_price (empty: a hard row), carry_to and carry_rate (the share, 1 if empty, of what
                          is unspent in this row that is added to the cap of another); and, of a row in
                          sampled_uses.csv, holds (expected, quantile, always) and level, the share of the samples of
                          ``quantile`` (0.9).
``uses.csv``              **row**, **amount**, and either option, or partner and stage: the same as the columns above,
                          one number a line.
``groups.csv``            **group**, choice (at most one, exactly one), fixed (in or out): lists every group.
``partners.csv``          **partner**, value, capacity, and a column for each row that opening the partner uses,
                          whenever it opens: lists every partner. A capacity is the most that the ``load`` (1 where
                          empty) of the chosen options of that partner may add up to.
``openings.csv``          **partner**, **stage**, value and rows as in ``partners.csv``, for opening at that stage.
``links.csv``             **group**, **link**, **with**, value. Links: *needs* (with is funded too, and starts no
                          later), *excludes* (never both), *at most one* (of group and all in with), *synergy*
                          (value if both are funded). ``with`` may name several, ``T2|T3``.
``samples.csv``           a column for each option, a line for each sample of its value, perhaps columns ``sample``
                          and ``weight`` (samples are equally likely without); takes the place of the values in
                          ``options.csv``.
``sampled_uses.csv``      **row**, and a column for each option, what it uses (0 where empty): a line for each row and
                          sample, in the order of the samples.
``problem.toml``          name, sense (maximise or minimise), unit (of the objective), choice (for every group that
                          does not say otherwise), stages (their names in order of time; numbers sort themselves), and a
                          table ``[risk]``: level (0.95), weight of CVaR in the objective (0), floor of CVaR, target,
                          probability that it is reached, aim (worth, or probability: of reaching the target).
========================  ==================================================================================

Only ``options.csv`` and the columns in bold are required; empty cells of amounts are 0.

**Minimisation.** With ``sense = "minimise"`` every column ``value`` is called ``cost``, is what is made small, and
objective and bound are printed as costs. Inside rdsim value is cost with its sign changed. A price of a shortfall is
0 or more under either sense, and always makes the objective worse.

**Opening.** A partner opens at the smallest stage of the chosen options that use it, so what opening it is worth is
normally a negative value, or a cost. That makes a partner a facility: customers are groups of which exactly one
option, customer at facility, is chosen, and a capacity counts only where the facility is open.

Tables are read as everywhere in rdsim: UTF-8 with or without a byte-order mark, commas, semicolons or tabs, any line
ending, units in brackets, ``cost [billion KRW]``. Every fault is reported at once. What is written reads as an equal
problem: arrays, names and their order.
"""

from rdsim.optimiser.problem.folder.files import GivenProblem, given_problem
from rdsim.optimiser.problem.folder.form import StatedProblem
from rdsim.optimiser.problem.folder.statement import read, read_statement
from rdsim.optimiser.problem.folder.words import chosen_table, describe, record
from rdsim.optimiser.problem.folder.writer import digest, write

__all__ = [
    "GivenProblem",
    "StatedProblem",
    "chosen_table",
    "describe",
    "digest",
    "given_problem",
    "read",
    "read_statement",
    "record",
    "write",
]
