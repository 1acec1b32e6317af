"""A plan on a terminal, at its limits."""

import re
from dataclasses import replace

import pytest

from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.plan import OrgRef, Plan
from reconciler.report.plan_text import plan_text
from reconciler.report.style import Style, cells
from reconciler.report.vocabulary import counts_text
from reconciler.resource import Address

PLAIN = Style(color=False, width=100)
TOKEN = SecretRef(source="env", name="TOKEN")
AGENT = Address("acme", "Agent", "triage")


def shown(plan, style=PLAIN):
    """Return the lines as a list."""
    return list(plan_text(plan, style=style))


def fields_shown(*fields, body=None):
    """Return the lines of the fields of one update."""
    lines = shown(Plan((Change(AGENT, Action.UPDATE, "triage", fields, body or {}),)))
    return [line.removeprefix("      ") for line in lines[2:-2]]


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("plan.txt", PLAIN),
        ("plan-color.txt", Style(color=True, width=100)),
        ("plan-40.txt", Style(color=False, width=40)),
    ],
)
def test_a_plan_with_one_of_everything(plan, same_as_golden, name, style):
    """Golden, with and without colour, and narrow."""
    same_as_golden(shown(plan, style), name)


def test_color_changes_nothing_but_color(plan):
    """The marks around changed words are the one difference."""
    colored = "\n".join(shown(plan, Style(color=True, width=100)))
    without = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    marked = re.sub(r"\[-|-\]|\{\+|\+\}", "", "\n".join(shown(plan)))
    assert without == marked


def test_no_changes():
    """Said in one line."""
    assert shown(Plan((), unchanged={"Agent": 30, "App": 6})) == ["No changes. 36 resources are as git wants them."]
    assert shown(Plan((), unchanged={"Agent": 1})) == ["No changes. 1 resource is as git wants it."]
    assert shown(Plan(())) == ["No changes. 0 resources are as git wants them."]


def test_a_partial_plan_says_so_first_even_when_empty():
    """Else its emptiness would be taken for the whole."""
    lines = shown(Plan((), unchanged={"Agent": 2}, partial="34 of 36 declared resources left out by --target x"))
    assert lines[0] == "! Partial plan: 34 of 36 declared resources left out by --target x"
    assert lines[-1] == "No changes. 2 resources are as git wants them."


def test_reports_alone_are_no_changes():
    """They are shown, and nothing will be written."""
    report = Change(Address("acme", "Channel", "chn_1", "bot"), Action.REPORT, notes=("not declared: left alone",))
    assert shown(Plan((report,), unchanged={"App": 1})) == [
        "acme",
        "  ! App/bot/Channel/chn_1",
        "      ! not declared: left alone",
        "",
        "No changes. 1 resource is as git wants it. 1 to know of.",
    ]


def test_a_thousand_creations_take_a_line_each():
    """And one to say so."""
    fields = (FieldChange(("system_prompt",), None, "Hello"),)
    changes = tuple(
        Change(Address("acme", "Agent", f"a{n}"), Action.CREATE, f"a{n}", fields, where=f"a{n}.yaml:1")
        for n in range(1000)
    )
    lines = shown(Plan(changes, {"acme": OrgRef("org_1", "Acme")}))
    assert len(lines) == 1 + 1000 + 1 + 2
    assert lines[:2] == ["Acme (acme, org_1)", "  + Agent/a0    a0.yaml:1"]
    assert lines[-2:] == ["The fields of 1,000 creations are not shown.", "Plan: 1,000 to create."]


def test_a_crowd_of_creations_hides_no_update():
    """Only what is new is shortened."""
    creates = tuple(Change(Address("acme", "Agent", f"a{n}"), Action.CREATE, f"a{n}") for n in range(30))
    update = Change(AGENT, Action.UPDATE, "triage", (FieldChange(("max_iterations",), 1, 2),))
    assert "      max_iterations: 1 -> 2" in shown(Plan((*creates, update)))


def test_an_edit_in_the_middle_of_a_hundred_lines():
    """Two lines around, the rest counted."""
    old = "".join(f"line {n}\n" for n in range(100))
    lines = fields_shown(FieldChange(("system_prompt",), old, old.replace("line 50\n", "line 50 b\n")))
    assert lines == [
        "system_prompt: 100 lines, 790 bytes -> 100 lines, 792 bytes",
        "  ⋮ 48 lines unchanged",
        "    line 48",
        "    line 49",
        "  ~ line 50{+ b+}",
        "    line 51",
        "    line 52",
        "  ⋮ 47 lines unchanged",
    ]


@pytest.mark.parametrize(
    ("field", "body", "line"),
    [
        (FieldChange(("config", "t"), None, TOKEN), {"config": {"t": TOKEN}}, "config.t: will be sent (env TOKEN)"),
        (
            FieldChange(("config", "t"), SET, TOKEN),
            {"config": {"t": TOKEN}},
            "config.t: will be sent again (env TOKEN)",
        ),
        (FieldChange(("config", "t"), SET, TOKEN), {}, "config.t: unchanged"),
        (FieldChange(("config", "t"), SET, None), {}, "config.t: set -> cleared"),
        (FieldChange(("m",), {"a": 1, "t": SET}, {"a": 2, "t": TOKEN}), {}, "m.a: 1 -> 2|m.t: unchanged"),
        (FieldChange(("m",), {"a": 1, "t": SET}, {"a": 1}), {}, "m.t: set -> removed"),
        (FieldChange(("files", "/a.md"), "Hello.", None), {}, 'files./a.md: "Hello." -> removed'),
        (
            FieldChange(("m",), {"a": 1}, {"a": 1, "t": {"h": TOKEN}}),
            {"m": {"t": TOKEN}},
            "m.t: unset -> {h: will be sent (env TOKEN)}",
        ),
    ],
)
def test_what_becomes_of_a_secret(field, body, line):
    """Sent, sent again, unchanged, removed; never its value."""
    lines = fields_shown(field, body=body)
    assert [text for text in lines if text and "will be read" not in text] == line.split("|")


def test_every_secret_that_is_sent_is_named_once(plan):
    """Below all changes, where nothing is cut."""
    assert "2 secrets will be read and sent: env CRM_TOKEN, env SLACK_BOT_TOKEN" in shown(plan)


def test_a_secret_named_like_a_value_is_told_by_type():
    """Text that looks like our words stays in quotes."""
    assert fields_shown(FieldChange(("note",), "set", "will be sent (env TOKEN)")) == [
        'note: "set" -> "will be sent (env TOKEN)"'
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (True, 1, "f: true -> 1"),
        ("1", 1, 'f: "1" -> 1'),
        (None, "", 'f: unset -> ""'),
        ("x", None, 'f: "x" -> cleared'),
        ([], ["a"], "f: + a"),
        (["a"], [], "f: - a"),
        (["a b"], ["a", "-"], 'f: + a + "-" - "a b"'),
        (["a", "b"], ["b", "a"], "f: new order b, a"),
        ([1, 1, 2], [1, 2, 3], "f: + 3 - 1"),
        ({"a": {"b": 1.5}}, {"a": {"b": 2.5}}, "f.a.b: 1.5 -> 2.5"),
        ({"a": 1}, {"b": 1}, "f.a: 1 -> removed|f.b: unset -> 1"),
        ([{"name": "x", "v": 1}], [{"name": "x", "v": 2}], "f[x].v: 1 -> 2"),
        ({"a": 1}, [1], "f: {a: 1} -> [1]"),
    ],
)
def test_how_values_are_told_apart(old, new, line):
    """Each pair of types, and lists by what came and went."""
    assert fields_shown(FieldChange(("f",), old, new)) == line.split("|")


def test_control_characters_are_spelled_out():
    """In each place that a manifest or the platform fills."""
    evil = "a\x1b[2J\r\x07\u202eb\u200bc\x9b"
    change = Change(AGENT._replace(name=evil), Action.ARCHIVE, evil, notes=(evil,), where=evil)
    plan = Plan((change,), {"acme": OrgRef("org\x1b1", evil)}, partial=evil)
    text = "\n".join(shown(plan))
    assert "a\\x1b[2J\\r\\x07\\u202eb\\u200bc\\x9b" in text
    assert not [character for character in text if not character.isprintable() and character != "\n"]


def test_forty_columns_hold_what_can_be_cut(plan):
    """And the cut is marked."""
    lines = shown(plan, Style(color=False, width=40))
    creation = next(line for line in lines if "web_fetch {" in line)
    assert cells(creation) == 40
    assert creation.endswith("…")


def test_wide_characters_take_two_columns():
    """A cut counts columns, not characters."""
    change = Change(AGENT, Action.CREATE, "triage", (FieldChange(("description",), None, "漢字" * 35),))
    assert max(cells(line) for line in shown(Plan((change,)), Style(color=False, width=60))) <= 60


def test_organizations_and_kinds_stay_together(plan):
    """Though the plan's order mixes them."""
    mixed = replace(plan, changes=(plan.changes[6], *plan.changes[:6], *plan.changes[7:]))
    heads = [line for line in shown(mixed) if re.match(r"\S.*\(|  \S ", line)]
    assert [head.split()[0] for head in heads[:4]] == ["Labs", "v", "-", "!"]
    assert heads[4].startswith("Acme")


def test_both_sides_are_long_enough_to_be_told_apart():
    """A cut must not make two values look the same."""
    old, new = "x" * 70 + " old", "x" * 70 + " new"
    change = Change(AGENT, Action.UPDATE, "triage", (FieldChange(("display_name",), old, new),))
    lines = shown(Plan((change,)), Style(color=False, width=40))
    assert [line.strip() for line in lines[2:5]] == ["display_name:", f'- "{old}"', f'+ "{new}"']


def test_what_is_deleted_is_not_counted_as_archived():
    """Channels go for good, and the counts say so; what is archived is counted beside them."""
    channel = Address("acme", "Channel", "old", "bot")
    gone = [Change(AGENT, Action.ARCHIVE), Change(channel, Action.ARCHIVE), Change(AGENT, Action.UPDATE)]
    assert counts_text(gone) == "1 to update, 1 to archive, 1 to delete"
    assert counts_text(gone[1:]) == "1 to update, 1 to delete"
    assert counts_text(gone[:1]) == "1 to archive"
