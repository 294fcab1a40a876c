"""The SimPy engine: the readable reference for the life of a project, with traces.

Each project is a SimPy process that lives through the phases one after another (`Project.life`). What it
waits for - a start, a place, money, a panel seat, units of facilities - is asked for at a `Queue`, which
serves those who wait in order of rank when its grant comes up on the agenda. Ties follow `rules`: an entry's phase
and order are its SimPy priority, so that SimPy's own event queue is the agenda. Answers to requests carry
SimPy's NORMAL priority and interrupts its URGENT one, which both precede every phase: whoever is served
goes on before anything else happens.
"""

from rdsim.engines.process.agenda import TraceRow
from rdsim.engines.process.world import run

__all__ = ["TraceRow", "run"]
