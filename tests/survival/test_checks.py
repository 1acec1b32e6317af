"""The checks of the harness see what they are for."""

import json

import pytest

from .fleet import ACME
from .kills import wrong
from .stage import FLAGS

SIZE = 40


def _alter(stage, ident, **fields):
    """Change a stored document behind everybody's back."""
    (text,) = stage.emulator.store.query("SELECT body FROM documents WHERE id = ?", (ident,))[0]
    body = json.loads(text) | fields
    stage.emulator.store.execute("UPDATE documents SET body = ? WHERE id = ?", (json.dumps(body), ident))


def _doubled(stage):
    """Put a second one beside a live agent."""
    sql = (
        "INSERT INTO documents (id, org, collection, parent, name, status, haystack, body) "
        "SELECT id || 'x', org, collection, parent, name || 'x', status, haystack, body "
        "FROM documents WHERE collection = 'agents' AND name = 'triage'"
    )
    stage.emulator.store.execute(sql)


def _again(collection):
    """Put another row beside the last one of a collection."""
    sql = (
        "INSERT INTO documents (id, org, collection, parent, name, status, haystack, body) "
        "SELECT id || 'x', org, collection, parent, name, status, haystack, body "
        "FROM documents WHERE collection = ? AND body LIKE '%reconciler:%' "
        "OR collection = ? AND haystack = 'published' "
        "ORDER BY seq DESC LIMIT 1"
    )
    return lambda stage: stage.emulator.store.execute(sql, (collection, collection))


def _their_file(stage):
    stage.emulator.store.execute("UPDATE memory_files SET content = x'00' WHERE path = '/b/theirs.md'")


def _their_flag(stage):
    body = next(row.body for row in stage.expected.start.values() if row.id == ACME)
    _alter(stage, ACME, _flags=body["_flags"] | {"plugins": True})


def _dead_key(stage):
    stage.shell.write("manifests/keys.env", "PARTNERS_CARD_KEY=evra2a_old")


def _anew(stage):
    """Give a live agent another id, as if it had been made anew."""
    sql = "UPDATE documents SET id = id || 'x' WHERE collection = 'agents' AND name = 'assistant'"
    stage.emulator.store.execute(sql)


def _foreign(stage):
    _alter(stage, min(stage.expected.foreign), updated_at="2000-01-01T00:00:00Z")


def _different(stage):
    ident = next(row.id for row in stage.expected.start.values() if row.body.get("name") == "triage")
    _alter(stage, ident, description="Other")


def _told(stage):
    stage.shell.write(".reconciler/journal", "token=sesame-hook-1234")


def _forgotten(stage):
    assert stage.run("ledger", "forget", "acme/Agent/triage").code == 0


@pytest.mark.parametrize(
    ("meddle", "seen"),
    [
        (_doubled, "there twice"),
        (_anew, "made anew"),
        (_again("sessions"), "there twice"),
        (_again("agent_versions"), "too much"),
        (_their_file, "foreign, and touched"),
        (_their_flag, "missing "),
        (_dead_key, "a dead key"),
        (_foreign, "foreign, and touched"),
        (_different, "missing "),
        (_told, "a secret in"),
        (_forgotten, "the ledger does not own acme/Agent/triage"),
    ],
)
def test_what_is_wrong_is_seen(on_file, meddle, seen):
    """Each thing that must not happen is told when it did."""
    on_file.reset()
    assert on_file.run(*FLAGS).code == 0
    assert wrong(on_file) == []
    meddle(on_file)
    assert any(fault.startswith(seen) for fault in wrong(on_file))


def test_the_apply_is_large(on_file):
    """The apply that is killed writes at least forty times."""
    assert on_file.writes >= SIZE
