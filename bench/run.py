"""Print, in one run, what an unchanged plan costs beside the naive script, and what start-up costs beside click alone.

Figures only: nothing here passes or fails. Runs are interleaved and medians shown, since machines change speed; every
run is a process of its own. What is quick is run five times for each slow one, or a moment would decide. Its slowest
run is shown too: mostly the first on a machine that was idle.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from fleet import write_fleet

HERE = Path(__file__).parent
RECONCILER = [sys.executable, "-m", "reconciler"]
EMPTY_CLICK = "import click\n@click.group()\ndef main(): pass\nmain(['--help'], standalone_mode=False)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[100, 1000, 10000])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    head = f"{'unchanged plan of':>18} {'reconciler':>12} {'slowest':>10} {'naive':>10} {'ratio':>8}"
    print(f"{head}   (median of {arguments.rounds}, cold)")
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as env:
            plan, naive = prepared(Path(folder), size, env)
            taken = interleaved([(plan, 5), (naive, 1)], rounds=arguments.rounds, env=env, folder=Path(folder))
            ours, theirs = map(statistics.median, taken)
            figures = f"{ours:>10.2f} s {max(taken[0]):>8.2f} s {theirs:>8.2f} s {theirs / ours:>7.1f}x"
            print(f"{size:>18} {figures}", flush=True)
    rounds = max(7, arguments.rounds)
    beside = [sys.executable, "-c", EMPTY_CLICK]
    commands = [([*RECONCILER, "--help"], 1), (beside, 1)]
    taken = interleaved(commands, rounds=rounds, env=dict(os.environ), folder=HERE)
    ours, theirs = map(statistics.median, taken)
    figures = f"{ours * 1000:>9.0f} ms {max(taken[0]) * 1000:>7.0f} ms {theirs * 1000:>7.0f} ms {ours / theirs:>7.2f}x"
    print(f"{'--help':>18} {figures}   (beside an empty click program)")


@contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """Serve an emulator of its own; gives the environment that points at it."""
    command = [*RECONCILER, "emulator", "--port", "0", "--data", str(folder / "live.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = next(word for word in server.stdout.readline().split() if word.startswith("http"))
        try:
            yield os.environ | {"EVERRUNS_API_URL": url, "EVERRUNS_API_KEY": "evr_pat_local", "NO_COLOR": "1"}
        finally:
            server.terminate()


def prepared(folder: Path, size: int, env: dict[str, str]) -> tuple[list[str], list[str]]:
    """Write a fleet, apply it, and return the two commands that find it unchanged."""
    manifests = folder / "fleet"
    write_fleet(manifests, size)
    began = time.perf_counter()
    apply = [*RECONCILER, "apply", "-f", str(manifests), "--auto-approve", "--json"]
    subprocess.run(apply, env=env, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    took = time.perf_counter() - began
    print(f"{'':>18} (applied {size} in {took:.1f} s)", file=sys.stderr, flush=True)
    headers = {"Authorization": "Bearer evr_pat_local"}
    org = httpx.get(env["EVERRUNS_API_URL"] + "/v1/orgs", headers=headers).json()["data"][0]["id"]
    plan = [*RECONCILER, "plan", "-f", str(manifests), "--detailed-exitcode"]
    return plan, [sys.executable, str(HERE / "naive.py"), str(manifests), env["EVERRUNS_API_URL"], org]


def interleaved(
    commands: list[tuple[list[str], int]], *, rounds: int, env: dict[str, str], folder: Path
) -> list[list[float]]:
    """Run the commands in turn, each so many times, in the folder with the ledger; each must find nothing to do.

    Return the wall times of each in seconds, those of a first round left out.
    """
    taken: list[list[float]] = [[] for _ in commands]
    for number in range(rounds + 1):
        for index, (command, times) in enumerate(commands):
            for _ in range(times):
                began = time.perf_counter()
                subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, cwd=folder)
                if number or rounds == 1:
                    taken[index].append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    main()
