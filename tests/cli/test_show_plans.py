"""`reconciler show PLAN...`: plans that were saved, together in every format, and nothing is asked or written."""

import json
import re

import pytest

FORMATS = ("text", "markdown", "summary", "html", "json")


@pytest.fixture
def desk(site):
    """Give a site with the saved plans of two environments: one creates, the other changes and is refused."""
    for name, agents in (("staging", ("triage", "sales")), ("production", ("triage",))):
        site.write("manifests/reconciler.yaml", f"environment: {name}\nledger: {{backend: file}}\n")
        site.agents(*agents)
        if name == "production":
            site.world.api.post("/v1/agents", json={"name": "triage", "system_prompt": "Theirs."}).raise_for_status()
        assert site.run("plan", "--out", f"{name}.plan").code in (0, 4)
    site.world.forget()
    return site


PLANS = ("staging.plan", "production.plan")


def test_several_plans_are_one_table_and_a_section_for_each(desk):
    """In text; the platform is not asked."""
    ran = desk.run("show", *PLANS)
    assert (ran.code, ran.err) == (0, "")
    head, *rows = (re.split(r" {2,}", line) for line in ran.out.splitlines()[:3])
    assert head == ["Environment", "Organization", "In conflict", "Creations"]
    assert rows == [["staging", "default", "2"], ["production", "default", "1", "refused"]]
    assert ran.out.index("== staging") < ran.out.index("+ Agent/triage") < ran.out.index("== production")
    assert "Plan: production.plan" in ran.out
    assert desk.world.sent == []


def test_every_format_has_both(desk):
    """As files beside the text, or one of them on standard output."""
    ran = desk.run("show", *PLANS, *(f"--format={name}=out.{name}" for name in FORMATS))
    assert ran.code == 0, ran.text
    texts = {name: (desk.folder / f"out.{name}").read_text(encoding="utf-8") for name in FORMATS}
    assert ran.out.startswith(texts["text"])
    for name in ("markdown", "summary"):
        assert "| Environment | Organization | In conflict | Creations |" in texts[name]
        assert "| `production` | `default` · refused | 1 |  |" in texts[name]
        assert "\n### `staging`: " in texts[name]
    assert '<a href="#e1">production</a>' in texts["html"]
    document = json.loads(texts["json"])
    assert document["schema"] == "everruns.reconciler/documents/v1"
    assert [(one["environment"], one["counts"], one["said"]) for one in document["overview"]] == [
        ("staging", {"Creations": 2}, ""),
        ("production", {"In conflict": 1}, "refused"),
    ]
    assert [len(one["changes"]) for one in document["environments"]] == [2, 1]
    assert json.loads(desk.run("show", *PLANS, "--format", "json").out) == document


def test_one_plan_is_shown_as_plan_shows_it(desk):
    """Without a table of environments, in text and as a document."""
    ran = desk.run("show", "staging.plan", "--format", "json=out.json")
    assert ran.code == 0
    assert "Plan: 2 to create." in ran.out
    assert "Environment" not in ran.out
    document = json.loads((desk.folder / "out.json").read_bytes())
    assert document["schema"] == "everruns.reconciler/document/v1"
    assert document["facts"]["Plan"] == "staging.plan"


def test_events_say_from_which_file_they_are(desk):
    """Before the changes of each."""
    ran = desk.run("show", *PLANS, "--json")
    types = [json.loads(line)["type"] for line in ran.out.splitlines()]
    assert types == ["started", "saved", "change", "change", "plan", "saved", "change", "plan", "finished"]
    assert [one["environment"] for one in ran.of("saved")] == ["staging", "production"]


def test_two_plans_of_one_environment_are_told_apart(desk):
    """By their files; one that is given twice is shown once."""
    (desk.folder / "other.plan").write_bytes((desk.folder / "staging.plan").read_bytes())
    rows = desk.run("show", "staging.plan", "other.plan", "staging.plan").out.splitlines()[1:4]
    assert [row.partition("  ")[0] for row in rows] == ["staging (staging.plan)", "staging (other.plan)", ""]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("staging.plan", "gone.plan"), "cannot read gone.plan"),
        (("manifests/reconciler.yaml",), "is not a plan file"),
        (("staging.plan", "-f", "manifests", "--api-url", "http://x"), "--manifests, --api-url has no say in it"),
        (("Agent/triage", "Agent/sales"), "one address at a time"),
        (("Agent/triage", "--format", "html"), "--format is for saved plans"),
        ((), "Missing argument"),
    ],
)
def test_what_cannot_be_shown_is_told(desk, words, said):
    """As a fault of the command, and nothing is written."""
    ran = desk.run("show", *words)
    assert ran.code != 0
    assert said in ran.err
