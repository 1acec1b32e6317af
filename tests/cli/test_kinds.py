"""`reconciler kinds`: what can be declared, without manifests and without a platform."""

import json

from reconciler.kinds import KINDS


def test_every_kind_is_listed(shell):
    """All kinds are told of, those that are only referred to included."""
    ran = shell.run("kinds", EVERRUNS_API_URL="", EVERRUNS_API_KEY="")
    assert (ran.code, ran.err) == (0, "")
    assert [line for line in ran.out.splitlines() if line and line[0] != " "] == [kind.name for kind in KINDS]


def test_one_kind(shell):
    """One kind can be asked for, by its name."""
    ran = shell.run("kinds", "AgentIdentity")
    assert ran.out.startswith("AgentIdentity\n")
    assert "timezone" in ran.out
    assert "system_prompt" not in ran.out


def test_for_programs(shell):
    """The same as events: one for each kind, with its fields."""
    ran = shell.run("kinds", "--json")
    events = [json.loads(line) for line in ran.out.splitlines()]
    kinds = {one["name"]: one for one in events if one["type"] == "kind"}
    assert list(kinds) == [kind.name for kind in KINDS]
    (prompt,) = [one for one in kinds["Harness"]["fields"] if one["path"] == "system_prompt"]
    assert prompt["cleared_by"] == "null, which is sent as an empty value"


def test_unknown_kind(shell):
    """A misspelled kind is wrong usage, and the nearest one is named."""
    ran = shell.run("kinds", "Harnes")
    assert ran.code == 64
    assert "did you mean Harness?" in ran.err


def test_one_form_at_a_time(shell):
    """Markdown and JSON exclude each other."""
    assert shell.run("kinds", "--json", "--markdown").code == 64
