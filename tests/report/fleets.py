"""Plans of a size, as large teams have them, and a drift with one of everything."""

from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.change import Action, Change, FieldChange, Side
from reconciler.plan.drift import Drift, Drifted, What
from reconciler.plan.plan import OrgRef, Plan
from reconciler.resource import Address

PROMPT = "".join(f"Line {n} of the prompt says something useful to whoever reads it.\n" for n in range(20))
TOKEN = SecretRef(source="env", name="CHAT_TOKEN")


def large_plan(count):
    """Make a plan of so many changes: archives, creations, public channels, secrets, prompts that change in a word."""
    changes = tuple(_change(number) for number in range(count))
    return Plan(changes, {f"org-{n}": OrgRef(f"org_{n}", f"Org {n}") for n in range(7)}, unchanged={"Agent": 9})


def _change(number):
    org = f"org-{number % 7}"
    agent = Address(org, "Agent", f"agent-{number:05}")
    channel = Address(org, "Channel", "web", f"app-{number}")
    where = f"manifests/{org}/agents/{number}.yaml:3"
    match number % 10:
        case 0:
            return Change(agent, Action.ARCHIVE, notes=("no longer in git",))
        case 1 | 2:
            body = {"system_prompt": PROMPT, "default_model": "claude-opus-4-1"}
            fields = tuple(FieldChange((name,), None, value) for name, value in body.items())
            return Change(agent, Action.CREATE, f"agent {number}", fields, body, where=where)
        case 3:
            body = {"type": "public_chat", "config": {"token": TOKEN} if number % 20 == 3 else {}}
            return Change(channel, Action.CREATE, "", (FieldChange(("type",), None, "public_chat"),), body, where=where)
    edited = PROMPT.replace("Line 7 ", "Row 7 ")
    fields = (FieldChange(("system_prompt",), PROMPT, edited), FieldChange(("max_iterations",), 10, 20))
    body = {"default_model": "claude-sonnet-4-5"}
    return Change(agent, Action.UPDATE, f"agent {number}", fields, body, where=where, since="2026-11-22, abcdef0")


DRIFT = Drift(
    (
        Drifted(
            Address("acme", "Agent", "triage"),
            What.CHANGED,
            "Support triage",
            (
                FieldChange(("system_prompt",), PROMPT.replace("useful", "helpful"), PROMPT, Side.DRIFTED),
                FieldChange(("max_iterations",), 40, 20, Side.BOTH),
            ),
            since="2026-11-20, abcdef0",
            where="manifests/acme/agents/triage.yaml:3",
        ),
        Drifted(
            Address("acme", "Channel", "web", "bot"),
            What.CHANGED,
            fields=(FieldChange(("config", "anonymous"), True, False, Side.DRIFTED),),
            where="manifests/acme/apps/bot.yaml:12",
        ),
        Drifted(
            Address("acme", "Agent", "greeter"),
            What.ARCHIVED,
            message="it was archived on the platform",
            where="manifests/acme/agents/greeter.yaml:3",
            file="manifests/acme/agents/greeter.yaml",
        ),
        Drifted(Address("acme", "Memory", "docs"), What.UNSYNCED, message="its last sync failed: no such branch"),
        Drifted(
            Address("acme", "Agent", "broken-off"),
            What.UNSETTLED,
            fields=(FieldChange(("max_iterations",), 40, 20),),
            message="a run that did not end may have written it: cannot be told until an apply has settled it",
        ),
        Drifted(Address("acme", "Agent", "by-hand"), What.UNMANAGED, message="nobody declares it", id="agent_1"),
    ),
    {"acme": OrgRef("org_1", "Acme Inc")},
    watched=34,
    unowned=2,
)


_TRIAGE = """\
You read what customers write and say which team should answer.
Answer with one of: billing, shipping, returns.
When in doubt, ask one question. Never promise a refund.
Sign as the Northwind help desk.
"""


def _agent(name):
    return Address("northwind", "Agent", name)


REVIEWED = Plan(
    (
        Change(_agent("trail-conditions"), Action.ARCHIVE, "Trail conditions", notes=("no longer in git",)),
        Change(
            Address("northwind", "Channel", "slack", "help-desk"),
            Action.UPDATE,
            fields=(FieldChange(("config", "bot_token"), SET, TOKEN),),
            body={"config": {"bot_token": TOKEN}},
            where="manifests/northwind/apps/help-desk.yaml:14",
        ),
        Change(
            Address("northwind", "App", "store-finder"),
            Action.PUBLISH,
            "Store finder",
            where="manifests/northwind/apps/store-finder.yaml:3",
        ),
        Change(
            _agent("support-triage"),
            Action.UPDATE,
            "Support triage",
            (
                FieldChange(
                    ("system_prompt",), _TRIAGE, _TRIAGE.replace("shipping, returns", "shipping, returns, warranty")
                ),
                FieldChange(("max_iterations",), 10, 20),
                FieldChange(("tags",), ["support"], ["support", "warranty"]),
            ),
            {"default_model": "claude-sonnet-4-5"},
            where="manifests/northwind/agents/support-triage.yaml:3",
            since="2026-11-20, e86963f",
        ),
        Change(
            _agent("warranty"),
            Action.CREATE,
            "Warranty",
            (
                FieldChange(("system_prompt",), None, "You know what our warranty covers.\nSay so in two sentences.\n"),
                FieldChange(("tags",), None, ["support", "warranty"]),
            ),
            {"default_model": "claude-sonnet-4-5"},
            where="manifests/northwind/agents/warranty.yaml:3",
        ),
    ),
    {"northwind": OrgRef("org_1", "Northwind Outfitters")},
    unchanged={"Agent": 12, "App": 4},
)
"""A change as a team would review it."""
