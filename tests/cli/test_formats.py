"""`--format` as a user gives it: several at once, one to standard output, and a word before anything happens else."""

import json

import pytest

ALL = [f"--format={name}=out.{name}" for name in ("text", "markdown", "summary", "html", "json")]
STARTS = {
    "text": "Default",
    "markdown": "## Plan: 1 to create.\n",
    "summary": "## Plan: 1 to create.\n",
    "html": "<!doctype html>\n",
    "json": '{"schema":"everruns.reconciler/document/v1","verb":"plan"',
}


@pytest.fixture
def desk(site):
    """Give a site where one agent is declared."""
    site.agents("triage")
    return site


def written(site):
    """Return what lies beside the manifests, by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in site.folder.iterdir() if path.is_file()}


def test_all_formats_at_once_are_files_beside_the_text(desk):
    """The text goes to standard output as ever, and names the files."""
    ran = desk.run("plan", *ALL)
    assert ran.code == 0
    files = written(desk)
    assert set(files) == {f"out.{name}" for name in STARTS}
    for name, start in STARTS.items():
        if name != "text":
            assert files[f"out.{name}"].startswith(start)
        assert f"Wrote out.{name}\n" in ran.out
        assert "triage" in files[f"out.{name}"]
    assert files["out.text"] in ran.out
    assert "Plan: 1 to create." in ran.out


@pytest.mark.parametrize("name", ["text", "markdown", "html", "json"])
def test_one_format_goes_to_standard_output_alone(desk, name):
    """Nothing else is on it, so that it can be sent on."""
    ran = desk.run("plan", "--format", name)
    if name != "text":
        assert ran.out.startswith(STARTS[name])
        assert "Wrote" not in ran.out
    else:
        assert ran.out == desk.run("plan").out
    assert ran.err == ""
    assert desk.run("plan", f"--format={name}=-").out == ran.out
    assert not (desk.folder / "-").exists()


def test_the_json_document_says_what_the_events_say(desk):
    """Put together, without what tells events apart."""
    document = json.loads(desk.run("plan", "--format", "json").out)
    stream = desk.run("plan", "--json")
    (change,), (plan,) = stream.of("change"), stream.of("plan")
    assert document["changes"] == [{key: value for key, value in change.items() if key not in ("schema", "type")}]
    assert document["plan"] == {key: value for key, value in plan.items() if key not in ("schema", "type")}
    assert document["exit_codes"] == [0]
    assert document["facts"]["Platform"] == desk.url


def test_events_go_on_while_documents_are_files(desk):
    """`--json` keeps standard output."""
    ran = desk.run("plan", "--json", "--format", "markdown=plan.md")
    assert [event["type"] for event in ran.events] == ["started", "change", "plan", "finished"]
    assert written(desk)["plan.md"].startswith(STARTS["markdown"])


def test_an_apply_is_written_with_what_it_did(desk):
    """As a document that says so; and an apply that has nothing to do is a plan without changes."""
    ran = desk.run(
        "apply", "--auto-approve", "--format", "json", "--format", "markdown=a.md", "--format", "html=a.html"
    )
    assert ran.code == 0, ran.text
    document = json.loads(ran.out)
    assert [one["status"] for one in document["outcomes"]] == ["done"]
    assert (document["verb"], document["remainders"], document["errors"]) == ("apply", [], [])
    assert written(desk)["a.md"].startswith("## Applied: 1 done.\n")
    assert "what was written is as git wants it" in written(desk)["a.html"]
    again = desk.run("apply", "--auto-approve", "--format", "markdown")
    assert again.out.startswith("## No changes. 1 resource is as git wants it.\n")


def test_a_saved_plan_that_is_applied_says_what_it_was_made_from(desk):
    """Its digest is the same before and after."""
    desk.run("plan", "--out", "p.plan", "--format", "json=before.json")
    desk.run("apply", "p.plan", "--format", "json=after.json")
    before, after = (json.loads(written(desk)[name]) for name in ("before.json", "after.json"))
    assert before["facts"]["Digest"] == after["facts"]["Digest"] == before["plan"]["digest"]


def test_a_drift_is_written_with_its_remedies(desk):
    """In every format, beside exit code 3."""
    desk.converge()
    agent = desk.world.one("agents", "triage")["id"]
    desk.world.api.patch(f"/v1/agents/{agent}", json={"system_prompt": "Hinder."})
    ran = desk.run("drift", *ALL)
    assert ran.code == 3
    files = written(desk)
    for text in files.values():
        assert "reconciler apply" in text
        assert "--target default/Agent/triage" in text
    assert files["out.markdown"].startswith("## Drift: 1 changed; 1 watched.\n")
    document = json.loads(files["out.json"])
    assert (document["verb"], document["exit_codes"], document["drift"]["watched"]) == ("drift", [3], 1)
    assert [one["what"] for one in document["drifted"]] == ["changed"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--format", "pdf"], "known: text, markdown, summary, html, json"),
        (["--format", "html=nowhere/plan.html"], "mkdir -p nowhere"),
        (["--format", "html=manifests"], "not a place for a file"),
        (["--format", "html="], "not a place for a file"),
        (["--format", "html=/dev/null"], "not a place for a file"),
        (["--format", "html", "--format", "markdown"], "give one of them a file: --format markdown=FILE"),
        (["--format", "html=a", "--format", "markdown=./a"], "another format goes into this file"),
        (["--format", "html=-", "--format", "markdown"], "give one of them a file: --format markdown=FILE"),
        (["--json", "--format", "text"], "give it a file: --format text=FILE"),
    ],
)
@pytest.mark.parametrize("verb", [["plan"], ["apply", "--auto-approve"], ["drift"]])
def test_what_cannot_be_written_is_told_before_anything_happens(desk, verb, flags, said):
    """With a way out, exit code 64, and no request."""
    ran = desk.run(*verb, *flags)
    assert ran.code == 64
    assert said in ran.text
    assert desk.world.sent == []


def test_a_saved_plan_and_a_document_are_two_files(desk):
    """Else the one that is written last would be the only one."""
    ran = desk.run("plan", "--out", "p.json", "--format", "json=./p.json")
    assert ran.code == 64
    assert "name another file" in ran.err


def test_a_refused_plan_says_so_in_every_document(desk):
    """First, with the way out; and the exit code is in the JSON."""
    desk.world.post("/v1/agents", name="triage", system_prompt="Theirs.")
    ran = desk.run(
        "apply", "--auto-approve", "--format", "markdown=a.md", "--format", "html=a.html", "--format", "json"
    )
    assert ran.code == 4
    assert "> [!CAUTION]\n> **Refused:** `default/Agent/triage: there already" in written(desk)["a.md"]
    assert "<strong>Refused</strong>" in written(desk)["a.html"]
    assert json.loads(ran.out)["exit_codes"] == [4]
    assert desk.lines == []


def test_nobody_is_asked_where_the_answer_could_not_be_seen(desk):
    """An apply whose standard output is a document wants to be approved by its flag."""
    ran = desk.run("apply", "--format", "markdown")
    assert ran.code == 64
    assert "--auto-approve" in ran.err
    assert desk.lines == []


def test_a_file_that_cannot_be_written_after_all_is_an_error_and_changes_nothing_else(desk):
    """The apply is done, the other file is there, the exit code says that something is missing."""
    folder = desk.folder / "gone"
    folder.mkdir()

    def remove():
        folder.rmdir()

    desk.world.meddler.before("POST", "/v1/agents", remove)
    flags = ("--format", "html=gone/a.html", "--format", "markdown=a.md")
    ran = desk.run("apply", "--auto-approve", *flags)
    assert ran.code == 1
    assert "cannot write gone/a.html" in ran.err
    assert "Wrote a.md" in ran.out
    assert len(desk.world.live("agents")) == 1


def test_a_run_that_fails_leaves_what_is_there(desk):
    """No file is begun, and an earlier one stays as it was."""
    desk.write("plan.md", "earlier")
    desk.write("manifests/broken.yaml", "kind: [")
    assert desk.run("plan", "--format", "markdown=plan.md").code == 1
    assert set(written(desk)) == {"plan.md"}
    assert written(desk)["plan.md"] == "earlier"
