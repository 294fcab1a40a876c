"""The face of `rdsim.serve` for a browser on this machine: plain pages and forms, with Starlette and uvicorn.

These two stay in this room, which is imported only where the extra `serve` is installed. Nothing of a question lives
in the server between two requests: levers stand in the form, answers in the history under addresses of their own. So
any number of tabs may be open at once, and the browser's Back is a way back.
"""

from __future__ import annotations

from rdsim.serve.web.app import make_app
from rdsim.serve.web.guard import Guard
from rdsim.serve.web.server import listen, make_server, serve

__all__ = ["Guard", "listen", "make_app", "make_server", "serve"]
