"""docs/emulator.md: its files are written, its commands run, and their output is what it says."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.emulator.faults import KNOWN, parse
from reconciler.emulator.limits import PLATFORM

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"
TEXT = PAGE.read_text(encoding="utf-8")
PORT = "8790"
RECONCILER = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m reconciler "$@"\n'
END = "--- end of output ---"
pytestmark = pytest.mark.skipif(
    not shutil.which("curl") or not shutil.which("bash"), reason="the page uses bash and curl"
)


def blocks(language):
    """Give the text of the blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def commands():
    """Give every command of the console blocks with the output that the page shows."""
    lines = "".join(blocks("console")).splitlines()
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


class Shell:
    """One bash for the whole page, on a port that nobody else has."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])
        program = folder / "bin" / "reconciler"
        program.parent.mkdir()
        program.write_text(RECONCILER)
        program.chmod(0o755)
        path = f"{program.parent}:{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "PYTHONPATH": str(PAGE.parents[1])}
        self.process = subprocess.Popen(
            ["bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env={key: value for key, value in env.items() if not key.startswith("EVERRUNS_")},
            start_new_session=True,
        )

    def send(self, line):
        """Write a line, with the port that is ours."""
        line = re.sub(r"reconciler emulator\b", f"reconciler emulator --port {PORT}", line)
        assert self.process.stdin
        self.process.stdin.write(line.replace(PORT, self.port) + "\n")
        self.process.stdin.flush()

    def line(self):
        """Read a line, with the port of the page."""
        assert self.process.stdout
        return self.process.stdout.readline().rstrip("\n").replace(self.port, PORT)

    def output(self, command, shown):
        """Run a command and give its output; of one in the background, as many lines as are shown."""
        self.send(command)
        if command.endswith("&"):
            return [self.line() for _ in shown]
        self.send(f"echo; echo '{END}'")
        lines = list(iter(self.line, END))
        return [line for line in lines if line]

    def close(self):
        """End the shell and what it left running."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def shell(tmp_path):
    """Give a shell beside the files of the page."""
    for block in blocks("yaml"):
        name = re.match(r"# (\S+\.yaml)\n", block)
        if name:
            path = tmp_path / name[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(block)
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def test_commands_say_what_the_page_says(shell):
    """Every command of the page prints what the page shows."""
    told = [(command, shell.output(command, shown)) for command, shown in commands()]
    assert told == commands()


def test_three_lines_start_it(shell, tmp_path):
    """The lines for CI start an emulator that answers, and write the log they promise."""
    install, start, wait = re.findall(r"^- run: (.*)$", blocks("yaml")[0], re.MULTILINE)
    assert install == "pip install '.[emulator]'"
    assert shell.output(start, ["Emulator at"])[0].startswith(f"Emulator at http://127.0.0.1:{PORT} ")
    assert shell.output(wait, []) == ['{"status":"ok","profile":"seeds"}']
    assert '"path": "/_emulator/health"' in (tmp_path / "requests.jsonl").read_text()


def test_every_fault_is_on_the_page():
    """The table names every fault and every option of its own, and every fault it shows is one."""
    rows = "\n".join(line for line in TEXT.splitlines() if line.startswith("| `"))
    for name, kind in KNOWN.items():
        assert f"`{name}`" in rows
        assert all(f"{key}=" in TEXT for key in kind.options)
    for text in re.findall(r"--fault '([^']+)'", TEXT):
        assert parse(text).name in KNOWN


def test_every_limit_is_on_the_page():
    """The table names every limit with the platform's own number."""
    shown = re.findall(r"^\| `(\w+)` \| (\d+) \|", TEXT, re.MULTILINE)
    assert {name: int(number) for name, number in shown} == PLATFORM
