"""Addresses, and what each answers. All of them are plain functions, which Starlette runs in threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from rdsim.errors import InfeasibleError, InputError, RdsimError, RunError, fault_lines
from rdsim.languages import N_, active, speaking
from rdsim.languages import gettext as _
from rdsim.native.threads import cores
from rdsim.serve.exports import export_folder, export_run, require_own, setting_lines
from rdsim.serve.history import Entry
from rdsim.serve.jobs import Job, Jobs
from rdsim.serve.levers import Levers
from rdsim.serve.samples import Tell
from rdsim.serve.web.forms import LeverForm, form_of, levers_of, read_form
from rdsim.serve.web.guard import LARGEST, Guard
from rdsim.serve.web.pages import Pages
from rdsim.serve.workplace import Workplace

__all__ = ["make_app"]

_REFUSED = 422
_LOOKS = 0.05
"""Seconds between looks of work that waits while somebody asks."""


def make_app(place: Workplace, jobs: Jobs, port: int) -> Guard:
    """The application that asks a run, behind its guard."""
    return Guard(Starlette(routes=_Desk(place, jobs).routes()), port)


class _Desk:
    """Answers requests; what it knows between two of them is on disk, but for jobs and the forms that began them."""

    def __init__(self, place: Workplace, jobs: Jobs) -> None:
        self._place, self._jobs, self._pages, self._language = place, jobs, Pages(place), active()
        self._firming: dict[int, Job] = {}
        self._forms: dict[int, LeverForm] = {}
        self._asking, self._lock = 0, threading.Lock()

    def routes(self) -> list[Route]:
        """All addresses."""
        return [
            Route("/", self.show_run),
            Route("/answers", self.ask, methods=["POST"]),
            Route("/answers/{number:int}", self.show_answer),
            Route("/answers/{number:int}/state", self.answer_state),
            Route("/answers/{number:int}/settings.txt", self.settings),
            Route("/answers/{number:int}/export", self.export, methods=["POST"]),
            Route("/jobs/{number:int}", self.show_job),
            Route("/jobs/{number:int}/state", self.job_state),
            Route("/jobs/{number:int}/stop", self.stop_job, methods=["POST"]),
            Route("/page.css", partial(_own_file, "rdsim.report.page", "page.css", "text/css")),
            Route("/serve.css", partial(_own_file, "rdsim.serve.web", "serve.css", "text/css")),
            Route("/serve.js", partial(_own_file, "rdsim.serve.web", "serve.js", "text/javascript")),
        ]

    # ------------------------------------------------------------ pages

    def show_run(self, _: Request) -> Response:
        """The run as it is, with its levers."""
        return HTMLResponse(self._pages.run(form_of(self._place.scenario, self._place.levers)))

    def show_answer(self, request: Request) -> Response:
        """An answer of the history, with the levers that it answers."""
        entry = self._entry(request)
        return _missing("answer") if entry is None else HTMLResponse(self._answer_page(entry))

    def _answer_page(self, entry: Entry, written: str = "", faults: tuple[str, ...] = ()) -> str:
        firming = self._firm(entry) is not None
        return self._pages.answer(entry, self._place.history.firmness(entry.number), firming, written, faults)

    async def ask(self, request: Request) -> Response:
        """Decide what the form asks: an answer of its own, or a job that makes the samples for it first."""
        body = await _body(request)
        if body is None:
            return PlainTextResponse("refused: too much was sent\n", 413)
        return await run_in_threadpool(self._ask, body)

    def _ask(self, body: bytes) -> Response:
        form = LeverForm()
        try:
            form = read_form(body)
            levers = levers_of(self._place.scenario, form)
            if self._place.has_samples(levers):
                entry = self._ask_at_once(levers)
                return RedirectResponse(f"/answers/{entry.number}", 303)
        except InputError as error:
            return HTMLResponse(self._pages.run(form, tuple(fault_lines(error.faults))), _REFUSED)
        except InfeasibleError as error:
            with speaking(self._language):
                told = (_("No portfolio keeps every rule under these levers."), *error.reason.splitlines())
            return HTMLResponse(self._pages.run(form, told), _REFUSED)
        except RdsimError as error:
            return HTMLResponse(self._pages.run(form, tuple(str(error).splitlines())), _REFUSED)
        job = self._jobs.start(N_("New samples, and the portfolio decided with them"), partial(self._sample, levers))
        self._forms[job.number] = form
        return RedirectResponse(f"/jobs/{job.number}", 303)

    def _sample(self, levers: Levers, tell: Tell) -> int:
        self._place.prepare(levers, tell, threads=max(1, cores() - 1))  # one is left to who asks meanwhile
        return self._ask_at_once(levers).number

    def _ask_at_once(self, levers: Levers) -> Entry:
        """Answer a question; what is worked out meanwhile waits."""
        with self._lock:
            self._asking += 1
        try:
            return self._place.ask(levers)
        finally:
            with self._lock:
                self._asking -= 1

    # ------------------------------------------------------------ how firm

    def _firm(self, entry: Entry) -> Job | None:
        """The job that works out how firm an answer is, begun once; None if that is known, or cannot be."""
        if self._place.history.firmness(entry.number) is not None:
            return None
        if not (entry.answer.changes_membership and self._place.is_own(entry.answer)):
            return None
        levers = entry.answer.question
        with self._lock:
            known = self._firming.get(entry.number)
            if known is None and self._place.has_samples(levers):
                known = self._jobs.start(N_("How firm the answer is"), partial(self._work_out_firmness, entry))
                self._firming[entry.number] = known
        return known

    def _work_out_firmness(self, entry: Entry, tell: Tell) -> int:
        def tell_when_idle(done: int, total: int) -> None:
            tell(done, total)
            while self._asking:
                time.sleep(_LOOKS)
                tell(done, total)

        found = self._place.firmness(entry.answer.question, entry.answer, tell_when_idle)
        self._place.history.add_firmness(entry.number, found)
        return entry.number

    def answer_state(self, request: Request) -> Response:
        """How far it is worked out how firm an answer is."""
        entry = self._entry(request)
        if entry is None:
            return _missing("answer")
        job = self._firm(entry)
        return JSONResponse({"state": "done"} if job is None else _state(job))

    # ------------------------------------------------------------ jobs

    def show_job(self, request: Request) -> Response:
        """How far a job is, with a way to stop it; once it is done, its answer."""
        job = self._job(request)
        if job is None:
            return _missing("work")
        if job.state == "done" and job.result is not None:
            return RedirectResponse(f"/answers/{job.result}", 303)
        form = self._forms.get(job.number) or form_of(self._place.scenario, self._place.levers)
        return HTMLResponse(self._pages.job(job, form))

    def job_state(self, request: Request) -> Response:
        """How far a job is."""
        job = self._job(request)
        return _missing("work") if job is None else JSONResponse(_state(job))

    def stop_job(self, request: Request) -> Response:
        """Stop a job; it leaves nothing behind."""
        job = self._job(request)
        if job is None:
            return _missing("work")
        job.stop()
        return RedirectResponse(f"/jobs/{job.number}", 303)

    def _job(self, request: Request) -> Job | None:
        try:
            return self._jobs[int(request.path_params["number"])]
        except KeyError:
            return None

    # ------------------------------------------------------------ to take away

    def settings(self, request: Request) -> Response:
        """The levers of an answer as `--set` lines."""
        entry = self._entry(request)
        if entry is None:
            return _missing("answer")
        try:
            require_own(self._place, entry.answer)
        except RunError as error:
            return PlainTextResponse("".join(f"{line}\n" for line in fault_lines(error.faults)), _REFUSED)
        lines = setting_lines(self._place.scenario, entry.answer.question)
        return PlainTextResponse("".join(f"{line}\n" for line in (*self._place.run.overrides, *lines)))

    async def export(self, request: Request) -> Response:
        """Write an answer as a scenario folder or as a run, beside other results."""
        entry = self._entry(request)
        body = await _body(request)
        if entry is None or body is None:
            return _missing("answer")
        return await run_in_threadpool(self._export, entry, body)

    def _export(self, entry: Entry, body: bytes) -> Response:
        kinds: dict[str, Callable[[Entry], str]] = {"folder": self._to_folder, "run": self._to_run}
        try:
            exporter = kinds.get(read_form(body)["as"])
            if exporter is None:
                return _missing("kind of export")
            return HTMLResponse(self._answer_page(entry, exporter(entry)))
        except InputError as error:
            return HTMLResponse(self._answer_page(entry, faults=tuple(fault_lines(error.faults))), _REFUSED)
        except RdsimError as error:
            return HTMLResponse(self._answer_page(entry, faults=tuple(str(error).splitlines())), _REFUSED)

    def _to_folder(self, entry: Entry) -> str:
        folder = export_folder(self._place, entry.answer, self._base(entry, "-scenario"))
        with speaking(self._language):
            return _("The scenario and its portfolio are in {folder}.").format(folder=folder)

    def _to_run(self, entry: Entry) -> str:
        found = export_run(self._place, entry.answer, self._base(entry, ""))
        with speaking(self._language):
            told = _("The run is in {folder}.").format(folder=found.folder)
            if not found.missing:
                return told
            lacking = _("It lacks {parts}: {reason}.").format(parts=", ".join(found.missing), reason=found.why)
            return f"{told} {lacking}"

    def _base(self, entry: Entry, kind: str) -> Path:
        return Path("results") / f"{self._place.run.folder.resolve().name}-answer-{entry.number}{kind}"

    def _entry(self, request: Request) -> Entry | None:
        return self._place.history.entry(int(request.path_params["number"]))


def _state(job: Job) -> dict[str, Any]:
    return {"state": job.state, "done": job.done, "total": job.total, "result": job.result, "why": job.why}


async def _body(request: Request) -> bytes | None:
    """What was sent; None if it is too much."""
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > LARGEST:
            return None
    return bytes(read)


def _own_file(room: str, name: str, kind: str, _: Request) -> Response:
    return Response((files(room) / name).read_text(encoding="utf-8"), media_type=kind)


def _missing(what: str) -> Response:
    return PlainTextResponse(f"there is no such {what}\n", 404)
