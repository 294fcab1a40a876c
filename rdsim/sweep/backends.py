"""Where tasks are done: this process, processes of this machine, or Dask; each an Executor of `concurrent.futures`."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, TypeVar

from rdsim.errors import ExperimentError, Fault

__all__ = ["Backend", "Here", "backend", "here", "on_dask", "own_executor", "processes"]

T = TypeVar("T")


class Here(Executor):
    """Does each call in this process, when it is submitted."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """The finished call."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # an executor hands on whatever was raised
            future.set_exception(error)
        return future


@dataclass(frozen=True, eq=False)
class Backend:
    """An executor, how many workers it has, and how to get a new one if its workers died."""

    executor: Executor
    workers: int
    renew: Callable[[], Executor] | None = None
    inline: bool = False
    """Whether a submitted call is done before `submit` returns."""


def backend(points: int, jobs: int, dask: str | None = None) -> contextlib.AbstractContextManager[Backend]:
    """Where so many points are done: on Dask at an address, else in `jobs` processes, or here if one is enough.

    Raises ExperimentError, on entering, as `on_dask`.
    """
    if dask is not None:
        return on_dask(dask, jobs)
    return here() if jobs == 1 or points == 1 else processes(jobs)


@contextlib.contextmanager
def here() -> Iterator[Backend]:
    """This process."""
    yield Backend(Here(), 1, inline=True)


@contextlib.contextmanager
def own_executor(executor: Executor, workers: int) -> Iterator[Backend]:
    """An executor that the user made, and keeps."""
    yield Backend(executor, workers)


@contextlib.contextmanager
def processes(jobs: int) -> Iterator[Backend]:
    """So many processes, started afresh; they leave Ctrl-C to the parent."""
    pools: list[ProcessPoolExecutor] = []

    def make() -> Executor:
        pools.append(ProcessPoolExecutor(jobs, mp_context=_Afresh(), initializer=_serve))
        return pools[-1]

    try:
        yield Backend(make(), jobs, make)
    finally:
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)


class _Process(SpawnProcess):
    """A process that does not run the user's script again.

    A spawned process imports the script that its parent runs, to find there what it is sent. All that a worker is
    sent is rdsim's own, and a script without ``if __name__ == "__main__":`` would begin its sweep anew in each worker.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the name that multiprocessing calls
        with _no_script():
            return SpawnProcess._Popen(process_obj)


class _Afresh(SpawnContext):
    """How workers are started."""

    Process = _Process


_starting = threading.Lock()


@contextlib.contextmanager
def _no_script() -> Iterator[None]:
    """While a process is started: the script that runs is one without a file."""
    with _starting:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script


def _serve() -> None:
    """In a worker: leave Ctrl-C to the parent, and end with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def on_dask(address: str, jobs: int) -> Iterator[Backend]:
    """Workers of a Dask scheduler at an address such as tcp://host:8786; `local` starts `jobs` of them here.

    Raises ExperimentError if `distributed` is not installed or the scheduler does not answer.
    """
    try:
        import distributed  # noqa: PLC0415 - an extra that few need
    except ImportError:
        fault = Fault("--dask", "needs the package 'distributed'", "", "Install it by pip install 'rdsim[dask]'.")
        raise ExperimentError((fault,)) from None
    with contextlib.ExitStack() as stack:
        try:
            if address == "local":
                cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=jobs, threads_per_worker=1, dashboard_address=None
                )
                client = distributed.Client(stack.enter_context(cluster))  # type: ignore[no-untyped-call]
            else:
                client = distributed.Client(address, timeout="10s")  # type: ignore[no-untyped-call]
        except (OSError, ValueError, TimeoutError) as error:
            rule = "must be the address of a Dask scheduler that answers, or local"
            raise ExperimentError((Fault("--dask", rule, address, str(error)),)) from None
        stack.enter_context(client)
        workers = max(1, sum(client.nthreads().values()))  # type: ignore[no-untyped-call]
        yield Backend(client.get_executor(), workers)  # type: ignore[no-untyped-call]
