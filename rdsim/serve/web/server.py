"""The server: on the loopback address alone, one process, until Ctrl-C."""

from __future__ import annotations

import socket

import uvicorn

from rdsim.errors import Fault, InputError
from rdsim.serve.jobs import Jobs
from rdsim.serve.web.app import make_app
from rdsim.serve.workplace import Workplace

__all__ = ["ADDRESS", "listen", "make_server", "serve"]

ADDRESS = "127.0.0.1"
_WAITING = 64
"""Connections that wait to be answered, at most."""


def listen(port: int) -> socket.socket:
    """A socket on this machine's own address; of port 0 the system chooses one. Raises InputError if it is taken."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((ADDRESS, port))
        door.listen(_WAITING)  # who comes before anybody answers waits
    except OSError as error:
        door.close()
        advice = "Give another --port, or --port 0 for any that is free."
        raise InputError((Fault(f"--port {port}", "must be free", error.strerror or str(error), advice),)) from None
    return door


def make_server(place: Workplace, jobs: Jobs, door: socket.socket) -> uvicorn.Server:
    """What answers on a socket once it is run."""
    app = make_app(place, jobs, int(door.getsockname()[1]))
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        http="h11",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def serve(place: Workplace, door: socket.socket) -> None:
    """Answer on a socket until Ctrl-C, which raises KeyboardInterrupt; jobs are asked to end."""
    jobs = Jobs()
    try:
        make_server(place, jobs, door).run(sockets=[door])
    finally:
        jobs.stop_all()
        door.close()
