"""`reconciler import` as a user runs it: what it prints, how it ends, and that it only reads."""

import shutil

import pytest


@pytest.fixture
def live(fleet):
    """Give a site whose server has the example fleet, and whose folder has neither manifests nor a ledger."""
    fleet.converge()
    shutil.rmtree(fleet.folder / "manifests")
    shutil.rmtree(fleet.folder / ".reconciler")
    for name in [name for name in fleet.env if name.startswith("NORTHWIND")]:
        del fleet.env[name]
    return fleet


def test_the_example_fleet_comes_back(live):
    """Everything of the example fleet is written without a request but GET, and the plan of it is empty."""
    ran = live.run("import", "--all")
    assert ran.code == 0, ran.text
    assert "Northwind Outfitters (northwind-outfitters, org_" in ran.out
    assert "\n  + manifests/northwind-outfitters/agents/support-triage.yaml\n" in ran.out
    assert "NORTHWIND_OUTFITTERS_RISK_DESK_SLACK_BOT_TOKEN " in ran.out
    assert ran.out.endswith("Import: 43 resources in 69 new files.\n")
    assert live.lines == []
    assert live.run("validate").code == 0
    ran = live.run("plan", "--detailed-exitcode")
    assert ran.code == 0, ran.text
    again = live.run("import", "--all")
    assert again.code == 0
    assert "Import: 0 resources in 0 new files, 43 declared already." in again.out


def test_events(live):
    """As events: every file with its fate, every secret with its place, and the sum."""
    path = live.write("manifests/northwind-labs/apps/on-call.yaml", "# not yet\n")
    ran = live.run("import", "App/on-call", "Agent/incident-commander", "--org", "northwind-labs", "--json")
    assert ran.code == 1
    fates = {event["path"].rpartition("/")[2]: event["fate"] for event in ran.of("file")}
    assert fates == {
        "organization.yaml": "written",
        "incident-commander.md": "written",
        "incident-commander.yaml": "written",
        "on-call-webhook.md": "left_out",
        "on-call.yaml": "in_the_way",
    }
    assert path.read_text() == "# not yet\n"
    assert {event["address"].split("/")[1] for event in ran.of("needed")} == {"Agent", "App"}
    (total,) = ran.of("import")
    assert total["files"] == {"written": 3, "left_out": 1, "in_the_way": 1}
    assert total["declared"] == []


def test_what_is_in_the_way_is_told(live):
    """A file that is there already is told on its own line, and the run ends with an error."""
    live.write("manifests/northwind-labs/apps/on-call.yaml", "# not yet\n")
    ran = live.run("import", "App/on-call")
    assert ran.code == 1
    assert (
        "! manifests/northwind-labs/apps/on-call.yaml  is there already and says something else: left alone" in ran.out
    )
    assert "! manifests/northwind-labs/prompts/on-call-webhook.md  not written: another file" in ran.out
    assert "1 not imported" in ran.out


USAGE = [
    ([], "nothing was chosen", "say --all"),
    (["Agent", "--all"], "--all and Agent exclude each other", "leave one of them out"),
    (["Agents"], "Agents: no such kind", "did you mean Agent?"),
    (["Agent/support-triag"], "nothing live is called that", "did you mean Agent/support-triage"),
    (["--all", "--org", "northwnd-labs"], "no organization of this key", "did you mean northwind-labs?"),
    (["--all", "--into", " "], "--into is empty", "name the folder"),
]


@pytest.mark.parametrize(("arguments", "message", "hint"), USAGE, ids=[" ".join(row[0]) or "none" for row in USAGE])
def test_wrong_usage(live, arguments, message, hint):
    """What means nothing ends with 64, says what would mean something, and writes nothing."""
    ran = live.run("import", *arguments)
    assert ran.code == 64
    assert message in ran.err
    assert hint in ran.err
    assert not (live.folder / "manifests").exists()


def test_into_a_file(live):
    """A file is no folder for manifests."""
    live.write("notes.txt", "Hello.")
    ran = live.run("import", "Memory", "--into", "notes.txt")
    assert ran.code in (1, 64), ran.text
    assert (live.folder / "notes.txt").read_text() == "Hello."


def test_schema_line(live):
    """Where the JSON Schema lies beside the manifests, each names it, so that editors check them."""
    assert live.run("schema").code == 0
    assert live.run("import", "Memory").code == 0
    text = (live.folder / "manifests/northwind-labs/memories/handbook.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../../../schemas/manifest.schema.json\n")
    assert (live.folder / "manifests/northwind-labs/memories" / "../../../schemas/manifest.schema.json").exists()
