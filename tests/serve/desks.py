"""A small run to ask, and a server of it in a thread of this process."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from rdsim.serve import Workplace, open_workplace
from rdsim.serve.jobs import Jobs
from rdsim.serve.web import listen, make_server
from tests.command import quietly
from tests.tiny import tiny_folder

__all__ = ["ASSUMED", "answer_of", "ready", "request", "served", "small_run"]

ASSUMED = """
[assumptions.gain]
label = "step time saved with a partner"
paths = ["partner_effect.duration_gain"]
low = 0.0
high = 0.4
why = "nothing is published"

[assumptions.worth]
label = "value of what comes to the market"
paths = ["technologies.*.value"]
change = "multiply"
low = 0.5
high = 2.0
why = "half and twice are tried"
"""

_WORTH = "technologies.*.value=90"  # else next to nothing is worth funding
_QUICK = ("--one-shot", "--brief-page", "--replications", "60", "--set", "optimiser.assumptions.points=0")


def small_run(folder: Path) -> Path:
    """A plan's run of the tiny scenario with two assumptions, in a folder of its own."""
    scenario = tiny_folder(folder / "tiny", scenario=lambda text: text + ASSUMED)
    words = ("plan", scenario, "--out", folder / "run", "--set", _WORTH, "--set", "optimiser.samples=60", *_QUICK)
    assert quietly(*words) == 0
    return folder / "run"


def ready(run: Path) -> Workplace:
    """The workplace of a run, with the samples of its options."""
    place, told = open_workplace(run, replications=40)
    assert told == ()
    place.prepare(place.levers)
    return place


@contextmanager
def served(place: Workplace) -> Iterator[int]:
    """The port on which a workplace is asked meanwhile."""
    door, jobs = listen(0), Jobs()
    server = make_server(place, jobs, door)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield int(door.getsockname()[1])
    finally:
        jobs.stop_all()
        server.should_exit = True
        thread.join(20)
        door.close()
        assert not thread.is_alive()


def request(
    port: int, path: str, fields: Mapping[str, str] | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of an answer; headers are as a page of the server sends them, unless given (_ for -)."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        sent = {"Host": f"127.0.0.1:{port}"}
        if fields is not None:
            sent |= {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/x-www-form-urlencoded"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in sent.items() if value}
        link.putrequest("GET" if fields is None else "POST", path, skip_host=True)
        body = urlencode(fields or {}).encode()
        for name, value in given.items():
            link.putheader(name, value)
        link.putheader("Content-Length", str(len(body)))
        link.endheaders(body)
        got = link.getresponse()
        return got.status, {name.lower(): value for name, value in got.getheaders()}, got.read().decode()
    finally:
        link.close()


def answer_of(place: Workplace, address: str) -> int:
    """The number of the answer at an address."""
    number = int(address.rpartition("/")[2])
    assert place.history.entry(number) is not None
    return number
