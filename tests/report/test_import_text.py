"""An import for people and for programs: every fate of a file, every gap, every secret, and the sum."""

from reconciler.errors import Exit
from reconciler.plan.capture import Candidate, Gap, Home, Needed, Suspect
from reconciler.plan.imported import Fate, Imported, Saved
from reconciler.report import events, import_events
from reconciler.report.import_text import import_text
from reconciler.report.style import Style
from reconciler.resource import Address

TRIAGE, BOT = Address("acme", "Agent", "triage"), Address("acme", "App", "bot")
CHANNEL = Address("acme", "Channel", "in", "bot")
EVERYTHING = Imported(
    homes={"acme": Home("acme", "org_1", "Acme \x1b[31mInc", is_new=True)},
    saved=(
        Saved(TRIAGE, "m/acme/prompts/triage.md", Fate.UNCHANGED),
        Saved(TRIAGE, "m/acme/agents/triage.yaml", Fate.WRITTEN),
        Saved(BOT, "m/acme/prompts/bot.md", Fate.LEFT_OUT),
        Saved(BOT, "m/acme/apps/bot.yaml", Fate.IN_THE_WAY),
    ),
    gaps=(
        Gap(TRIAGE, ("mcpServers", "crm", "url"), "holds a secret", ("mcpServers",)),
        Gap(TRIAGE, ("mood",), "no field", ("mood",)),
        Gap(CHANNEL, (), "cannot be said", ()),
    ),
    needed=(Needed("ACME_T", CHANNEL, ("config", "token")),),
    suspects=(Suspect(TRIAGE, ("system_prompt",)),),
    declared=(Candidate(Address("acme", "Memory", "docs"), "mem_1", "Docs"),),
    archived=2,
)
NOTHING = Imported(homes={}, saved=(), gaps=(), needed=(), suspects=(), declared=(), archived=0)

TEXT = """\
Acme \\x1b[31mInc (acme, org_1)
  = m/acme/prompts/triage.md  is there already, the same
  + m/acme/agents/triage.yaml
  ! m/acme/prompts/bot.md  not written: another file that it needs is in the way
  ! m/acme/apps/bot.yaml  is there already and says something else: left alone

Not in the manifests, and therefore left alone:
  ! acme/Agent/triage mcpServers.crm.url: holds a secret (with all of mcpServers)
  ! acme/Agent/triage mood: no field
  ! acme/App/bot/Channel/in: cannot be said

Looks like a secret in clear: read it before you commit, and replace it on the platform:
  ! acme/Agent/triage system_prompt

To be provided in the environment before an apply that sends them; a plan needs none:
  ACME_T  acme/App/bot/Channel/in config.token

Import: 1 resource in 1 new file, 2 not imported, 1 declared already, 2 archived left out."""


def test_text():
    """Each section says its part, control characters spelled out."""
    assert "\n".join(import_text(EVERYTHING, style=Style())) == TEXT


def test_text_of_nothing():
    """Without anything there is one line, and it is no error."""
    assert [*import_text(NOTHING, style=Style())] == ["Import: 0 resources in 0 new files."]
    assert NOTHING.exit_code is Exit.DONE


def test_exit_code():
    """What was chosen and has no manifest now is an error; a field less is none."""
    assert EVERYTHING.exit_code is Exit.ERROR
    fields = Imported({}, EVERYTHING.saved[:2], EVERYTHING.gaps[:2], (), (), (), 0)
    assert fields.exit_code is Exit.DONE
    assert Imported({}, (), EVERYTHING.gaps[2:], (), (), (), 0).exit_code is Exit.ERROR
    assert Imported({}, EVERYTHING.saved[3:], (), (), (), (), 0).exit_code is Exit.ERROR


def test_events():
    """The same as events, one for each thing and the sum at the end."""
    told = [*import_events.imported(EVERYTHING)]
    assert [event["type"] for event in told] == [*["file"] * 4, *["gap"] * 3, "needed", "suspect", "import"]
    assert told[0]["fate"] == "unchanged"
    assert told[4]["left_out"] == ["mcpServers"]
    assert told[7]["variable"] == "ACME_T"
    assert told[-1]["files"] == {"unchanged": 1, "written": 1, "left_out": 1, "in_the_way": 1}
    assert (told[-1]["declared"], told[-1]["archived"]) == (["acme/Memory/docs"], 2)
    assert all(events.line(event) for event in told)
