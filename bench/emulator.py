"""Print what the emulator does in a time: how fast it starts, and how long 1,000 list pages of 100 agents take.

Figures only: nothing here passes or fails.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

KEY = {"Authorization": "Bearer evr_pat_bench"}
AGENTS = 100
PROMPT = "You help people who write in. " * 100


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--port", "0", "--data", str(Path(folder) / "data.sqlite"), "--seed", seeded(Path(folder))]
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "emulator", *flags], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        url = process.stdout.readline().split()[2]
        print(f"started, with 100 agents seeded: {time.perf_counter() - started:.2f} s")
        for clients in (1, 4):
            print(f"1,000 pages of 100 agents, {clients} at a time: {paged(url, clients):.1f} s", flush=True)
        process.terminate()
        print(f"stopped with exit code {process.wait()}")


def seeded(folder: Path) -> str:
    path = folder / "live.yaml"
    agents = "".join(f"      - {{name: agent-{number}, system_prompt: {PROMPT}}}\n" for number in range(AGENTS))
    path.write_text(f"orgs:\n  - name: Bench\n    agents:\n{agents}")
    return str(path)


def paged(url: str, clients: int) -> float:
    def read(count: int) -> None:
        with httpx.Client(base_url=url, headers=KEY) as client:
            for _ in range(count):
                assert len(client.get("/v1/agents?limit=100").json()["data"]) == AGENTS

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(read, [1000 // clients] * clients))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
