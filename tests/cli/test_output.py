"""What is printed: plain text where nobody sees colours, events for programs, and every character somewhere."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EVENT_TYPES = {"started", "change", "plan", "running", "outcome", "error", "finished"}
NON_ASCII = "Grüße 日本語 🚀 … “quoted”"


def test_text_is_plain_off_a_terminal(site):
    """Off a terminal no verb prints an escape code, not even with a terminal's environment."""
    site.agents("triage")
    for arguments in (["validate"], ["plan"], ["apply", "--auto-approve"], ["plan", "--no-color"]):
        ran = site.run(*arguments, TERM="xterm-256color", COLORTERM="truecolor")
        assert ran.code == 0
        assert "\x1b" not in ran.text


def test_errors_are_plain_off_a_terminal(shell):
    """Errors and usage errors are plain too."""
    for arguments in (["plan"], ["plan", "--bogus"], ["validate", "-f", "nowhere"]):
        assert "\x1b" not in shell.run(*arguments, TERM="xterm-256color").text


def test_plan_as_events(site):
    """A plan is a stream: what changes, the sum of it, and how the run ends."""
    site.agents("one", "two")
    ran = site.run("plan", "--json", "--detailed-exitcode")
    assert ran.code == 2
    assert [event["type"] for event in ran.events] == ["started", "change", "change", "plan", "finished"]
    assert [event["address"] for event in ran.of("change")] == ["default/Agent/one", "default/Agent/two"]
    (plan,) = ran.of("plan")
    assert (plan["counts"], plan["empty"]) == ({"create": 2}, False)


def test_apply_as_events(site):
    """An apply tells of each change when it begins and when it ends."""
    site.agents("one", "two")
    ran = site.run("apply", "--json", "--auto-approve")
    assert ran.code == 0
    types = [event["type"] for event in ran.events]
    assert set(types) == EVENT_TYPES - {"error"}
    assert types.count("running") == types.count("outcome") == 2
    assert {event["status"] for event in ran.of("outcome")} == {"done"}


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["plan", "--json"], 1, "Unauthorized"),
        (["plan", "--json", "-f", "nowhere"], 64, "UsageError"),
        (["plan", "--json", "--bogus"], 64, "UsageError"),
        (["apply", "--json"], 64, "UsageError"),
        (["apply", "--json", "nowhere.plan"], 64, "UsageError"),
        (["apply", "--json", "--local", "--api-url", "http://127.0.0.1:1"], 64, "UsageError"),
        (["validate", "--json", "--target", "Agent/nobody"], 64, "UsageError"),
    ],
)
def test_errors_as_events(shell, arguments, code, error):
    """However a run fails, the stream says so and ends with the exit code of the process."""
    shell.agents("triage")
    ran = shell.run(*arguments)
    assert ran.code == code
    (event,) = ran.of("error")
    assert (event["error"], event["exit_code"]) == (error, code)
    assert event["message"]


@pytest.mark.parametrize(
    "locale",
    [
        {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
    ],
    ids=["C", "ascii", "latin-1"],
)
def test_any_locale_will_do(site, locale):
    """What the locale cannot write is spelled out in text, and JSON is UTF-8 whatever the locale says."""
    site.agents("triage", prompt="Help.")
    site.converge()
    site.agents("triage", prompt=f"Help.\n{NON_ASCII}\n" + "line\n" * 20)
    assert site.run("plan", **locale).code == 0
    events = site.run("plan", "--json", **locale).of("change")
    assert NON_ASCII in events[0]["fields"][0]["new"]
    assert site.run("apply", "--auto-approve", **locale).code == 0
    site.write("manifests/bad.yaml", f"apiVersion: everruns.reconciler/v1\nkind: {json.dumps(NON_ASCII)}\n")
    assert site.run("validate", **locale).code == 1
    assert site.world.one("agents", "triage")["system_prompt"].splitlines()[1] == NON_ASCII


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["text", "json"])
def test_reader_goes_away(site, flags):
    """When the reader of the output goes away, more of it being left than a pipe holds, the run ends without a word."""
    site.agents(*[f"agent-{number}" for number in range(2000)])
    process = site.start("plan", *flags)
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=30) == 1
    process.stderr.close()


def test_apply_outlives_its_reader(site):
    """An apply that nobody reads any more goes on to its end: half of it would be worse."""
    site.agents(*[f"agent-{number}" for number in range(40)])
    command = [sys.executable, "-m", "reconciler", "apply", "--auto-approve", "--parallelism", "1"]
    for flags in ([], ["--json"]):
        process = subprocess.Popen(
            ["bash", "-c", '"$@" | head -n 45 >/dev/null', "bash", *command, *flags],
            cwd=site.folder,
            env=site.environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        _, err = process.communicate(timeout=60)
        assert err == ""
        assert len(site.world.live("agents")) == 40
        site.world.emulator.reset()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
@pytest.mark.parametrize("arguments", [["validate"], ["validate", "--json"]], ids=" ".join)
def test_standard_output_that_is_full(shell, arguments):
    """A disk without room is said in one line, and is no success."""
    shell.agents("triage")
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=shell.folder,
            env=shell.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot write to standard output: No space left on device\n")
