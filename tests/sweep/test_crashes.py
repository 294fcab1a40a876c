"""Sweeps that are killed at any moment, whose workers die, that run twice at once, and that run on Dask."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rdsim.sweep import manifest_of, read, read_sweep, run
from tests.sizes import size
from tests.sweep.files import bytes_of, start, sweep, write

POINTS, REPLICATIONS = size(32, 64), 400
KILLS = size(2, 40)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An experiment file, and the table of a sweep that nothing disturbed."""
    from tests.tiny import tiny_folder  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("whole")
    file = write(folder, tiny_folder(folder / "tiny"), points=POINTS, replications=REPLICATIONS)
    run(read(file), folder / "out")
    return file, bytes_of(folder / "out")


def children(process: int) -> list[int]:
    """Processes that this one started, as the kernel tells."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                text = (folder / "stat").read_text("utf-8")
                arguments = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            # Not the process that only tracks the pool's semaphores.
            if int(text.rpartition(")")[2].split()[1]) == process and b"spawn_main" in arguments:
                found.append(int(folder.name))
    return found


def wait_for_parts(out: Path, process: subprocess.Popen[str], count: int) -> None:
    """Until so many parts are written, or the process has ended."""
    while process.poll() is None and len(list((out / "parts").glob("*.parquet"))) < count:
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the workers by /proc")
def test_killed_at_random_moments_and_resumed_it_gives_the_same_bytes(
    whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    file, expected = whole
    rng, out = np.random.default_rng(os.getpid()), tmp_path / "out"
    for _ in range(KILLS):
        process = start(file, "--out", out, "--jobs", 2)
        # The first parts appear after start-up; kill somewhere between there and a little later.
        wait_for_parts(out, process, len(list((out / "parts").glob("*.parquet"))) + 1)
        time.sleep(float(rng.uniform(0, 0.2)))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)  # which waits for the workers' ends of the pipes too
    ran = sweep(file, "--out", out, "--jobs", 2)
    assert ran.returncode == 0, ran.stderr
    assert bytes_of(out) == expected
    assert read_sweep(out).attrs["complete"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the workers by /proc")
def test_workers_that_are_killed_cost_nothing_but_time(whole: tuple[Path, bytes], tmp_path: Path) -> None:
    file, expected = whole
    out, killed = tmp_path / "out", 0
    process = start(file, "--out", out, "--jobs", 2)
    rng = np.random.default_rng(os.getpid())
    while process.poll() is None:
        workers = children(process.pid)
        if workers and killed < size(2, 3) and (out / "parts").exists() and list((out / "parts").glob("*.parquet")):
            os.kill(int(rng.choice(workers)), signal.SIGKILL)
            killed += 1
        time.sleep(float(rng.uniform(0.02, 0.3)))
    said, error = process.communicate()
    assert process.returncode == 0, said + error
    assert killed
    assert bytes_of(out) == expected


def test_tasks_that_kill_their_workers_are_failed_rows_and_the_sweep_ends(tmp_path: Path) -> None:
    from tests.tiny import tiny_folder  # noqa: PLC0415

    deadly = "import multiprocessing, os\nif multiprocessing.parent_process():\n    os._exit(1)\n"
    (tmp_path / "deadly.py").write_text(deadly, encoding="utf-8")
    file = tmp_path / "deadly.toml"
    text = 'scenario = "{}"\npolicy = "value-per-cost"\nreplications = 10\nplugins = ["deadly.py"]\n'
    factor = "[factors.'partner_effect.gap_best']\nvalues = [10.0, 11.0]\n"
    file.write_text(text.format(tiny_folder(tmp_path / "tiny").as_posix()) + factor, encoding="utf-8")
    ran = sweep(file, "--out", tmp_path / "out", "--jobs", 2)
    assert ran.returncode == 4, ran.stderr
    table = read_sweep(tmp_path / "out")
    assert list(table["status"]) == ["failed", "failed"]
    assert table["error"].str.contains("workers died over it 3 times").all()


def test_two_sweeps_on_one_folder_do_no_harm(whole: tuple[Path, bytes], tmp_path: Path) -> None:
    file, expected = whole
    both = [start(file, "--out", tmp_path / "out", "--jobs", 1) for _ in range(2)]
    for process in both:
        said, error = process.communicate(timeout=300)
        assert (process.returncode, error) == (0, ""), said + error
    assert bytes_of(tmp_path / "out") == expected


@pytest.mark.skipif(os.name != "posix", reason="sends Ctrl-C")
def test_ctrl_c_keeps_what_is_done_and_ends_with_code_4(whole: tuple[Path, bytes], tmp_path: Path) -> None:
    file, expected = whole
    out = tmp_path / "out"
    process = start(file, "--out", out, "--jobs", 2)
    wait_for_parts(out, process, 1)
    process.send_signal(signal.SIGINT)
    said, error = process.communicate(timeout=120)
    told = manifest_of(out)
    assert "Traceback" not in error
    assert (process.returncode, told["complete"]) in {(4, False), (0, True)}, said + error
    assert sweep(file, "--out", out).returncode == 0
    assert bytes_of(out) == expected


# --- Dask -----------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """The address of a Dask scheduler with two workers, each a process of its own."""
    address = f"tcp://127.0.0.1:{free_port()}"
    base = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    words = ["--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard", "--no-show"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen([*base, *words], **quiet)]  # type: ignore[call-overload]
    for _ in range(2):
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
        started.append(
            subprocess.Popen([*worker, "--local-directory", str(tmp_path)], **quiet)  # type: ignore[call-overload]
        )
    try:
        yield address
    finally:
        for process in started:
            process.kill()
            process.wait()


def wait_for_workers(address: str, count: int) -> None:
    code = (
        "import sys, distributed\n"
        "client = distributed.Client(sys.argv[1], timeout='30s')\n"
        "client.wait_for_workers(int(sys.argv[2]), timeout=60)\n"
    )
    subprocess.run([sys.executable, "-c", code, address, str(count)], check=True, timeout=120, capture_output=True)


def test_a_dask_scheduler_with_two_workers_gives_the_same_bytes(
    scheduler: str, whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    file, expected = whole
    wait_for_workers(scheduler, 2)
    ran = sweep(file, "--out", tmp_path / "out", "--dask", scheduler)
    assert ran.returncode == 0, ran.stderr
    assert bytes_of(tmp_path / "out") == expected


def test_no_scheduler_is_a_clear_error(whole: tuple[Path, bytes], tmp_path: Path) -> None:
    ran = sweep(whole[0], "--out", tmp_path / "out", "--dask", f"tcp://127.0.0.1:{free_port()}")
    assert ran.returncode == 2
    assert "Dask scheduler that answers" in ran.stderr
    assert "Traceback" not in ran.stderr
