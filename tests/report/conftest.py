"""A plan and an apply that have one of everything, and golden files to compare with."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from reconciler.api_errors import Refused
from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.outcome import Applied, Blocked, Conflicted, Done, Failed, NotStarted, Remainder
from reconciler.plan.plan import OrgRef, Plan
from reconciler.resource import Address

from .browser import CHROMIUM, FLAGS

GOLDEN = Path(__file__).parent / "golden"

CRM = SecretRef(source="env", name="CRM_TOKEN")
SLACK = SecretRef(source="env", name="SLACK_BOT_TOKEN")
PROMPT = "".join(f"Line {n} of the prompt says something useful.\n" for n in range(1, 101))
EDITED = PROMPT.replace("Line 50 of the prompt says something useful.", "Line 50 of the prompt says nothing harmful.")
MEMORY = {"ref": "memory", "config": {"mounts": [{"memory": "docs", "path": "/workspace/docs", "mode": "readonly"}]}}


def created(**fields: object) -> tuple[FieldChange, ...]:
    """Return the fields of a creation."""
    return tuple(FieldChange((name,), None, value) for name, value in fields.items())


CHANGES = (
    Change(
        Address("acme", "Agent", "greeter"),
        Action.CREATE,
        "greeter",
        created(
            name="greeter",
            system_prompt=PROMPT,
            capabilities=[{"ref": "web_fetch", "config": {"timeout_ms": 30000}}, MEMORY],
            tags=["support", "two words"],
            mcpServers={"crm": {"url": "https://crm.example", "headers": {"Authorization": CRM}}},
        ),
        {"mcpServers": {"crm": {"headers": {"Authorization": CRM}}}},
        where="manifests/acme/agents/greeter.yaml:3",
    ),
    Change(
        Address("acme", "Agent", "triage"),
        Action.UPDATE,
        "triage",
        (
            FieldChange(("display_name",), "Old \x1b[31mname", "New name"),
            FieldChange(("description",), "Sorts mail", None),
            FieldChange(("system_prompt",), PROMPT, EDITED),
            FieldChange(
                ("capabilities",),
                [{"ref": "web_fetch", "config": {"timeout_ms": 10000}}, {"ref": "web_search"}],
                [{"ref": "web_fetch", "config": {"timeout_ms": 30000}}, MEMORY],
            ),
            FieldChange(("tags",), ["old", "same"], ["same", "vip"]),
            FieldChange(
                ("mcpServers",),
                {"crm": {"url": "https://a.example", "headers": {"A": SET, "B": SET}}},
                {"crm": {"url": "https://b.example", "headers": {"A": CRM}}},
            ),
            FieldChange(("max_iterations",), None, 20),
        ),
        {"mcpServers": {"crm": {"headers": {"A": CRM}}}},
        replace=True,
        id="agent_1",
        where="manifests/acme/agents/triage.yaml:3",
    ),
    Change(
        Address("acme", "Agent", "veteran"),
        Action.RESTORE,
        "veteran",
        (FieldChange(("parallel_tool_calls",), False, True),),
        where="manifests/acme/agents/veteran.yaml:3",
    ),
    Change(
        Address("acme", "App", "bot"),
        Action.CREATE,
        "Support bot",
        created(name="Support bot", harness="generic"),
        notes=("an archived app holds the name",),
        where="manifests/acme/apps/bot.yaml:3",
    ),
    Change(
        Address("acme", "Channel", "slack", "bot"),
        Action.CREATE,
        fields=created(type="slack", config={"bot_token": SLACK, "team_id": "T1"}),
        body={"type": "slack", "config": {"bot_token": SLACK}},
        where="manifests/acme/apps/bot.yaml:12",
    ),
    Change(
        Address("acme", "App", "bot"),
        Action.PUBLISH,
        "Support bot",
        (FieldChange(("published",), False, True),),
        where="manifests/acme/apps/bot.yaml:3",
    ),
    Change(Address("labs", "App", "lab"), Action.UNPUBLISH, "lab", (FieldChange(("published",), True, False),)),
    Change(
        Address("labs", "Channel", "old", "lab"),
        Action.ARCHIVE,
        notes=("deleted for good: the API cannot archive it",),
        where="manifests/labs/apps/lab.yaml:9",
    ),
    Change(
        Address("labs", "Channel", "chn_1", "lab"),
        Action.REPORT,
        notes=("slack channel chn_1 exists on the platform and is not declared: left alone",),
    ),
)


@pytest.fixture
def plan() -> Plan:
    """Return a plan with one of everything."""
    orgs = {"acme": OrgRef("org_1", "Acme Inc"), "labs": OrgRef(None, "Labs")}
    return Plan(CHANGES, orgs, {}, {"Agent": 30, "App": 4}, "2 of 45 declared resources left out by --target Agent/*")


@pytest.fixture
def applied() -> Applied:
    """Return an apply with one of everything."""
    greeter, triage, veteran, bot, slack, publish, lab, old, _ = CHANGES
    conflict = (FieldChange(("harness",), "base", "generic"),)
    outcomes = (
        Done(greeter, note="its key is shown once"),
        Failed(triage, Refused("updating acme/Agent/triage: 422 no\x1b[2J\nsecond line", hint="look again")),
        Done(veteran, adopted=True),
        Conflicted(bot, "an app of this name is there", conflict, "adopt it, or choose another name"),
        Blocked(slack, by="acme/App/bot"),
        Blocked(publish, by="acme/App/bot"),
        Done(lab),
        NotStarted(old),
    )
    remainders = (
        Remainder(
            greeter.address,
            (
                FieldChange(("tags",), ["support"], ["support", "two words"]),
                FieldChange(("capabilities",), [{"ref": "web_fetch"}, MEMORY], [MEMORY, {"ref": "web_fetch"}]),
                FieldChange(("max_iterations",), 10, 20),
                FieldChange(("system_prompt",), PROMPT, EDITED),
            ),
        ),
        Remainder(lab.address, (), "it was written, and cannot be found"),
    )
    return Applied(outcomes, interrupted=True, remainders=remainders, throttled_for=12.34)


@pytest.fixture
def same_as_golden() -> Callable[[Iterable[str], str], None]:
    """Return a check that lines are those of a golden file; to renew one, delete it and write what pytest shows."""

    def check(lines: Iterable[str], name: str) -> None:
        assert "\n".join(lines) + "\n" == (GOLDEN / name).read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="module")
def browser():
    """Start a Chromium; what needs one is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser: make .venv/dev")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--disable-component-update"])
        yield running
        running.close()
