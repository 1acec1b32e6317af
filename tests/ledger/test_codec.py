"""The ledger as text: canonical, without any value, and read back with suspicion."""

import time

import pytest

from reconciler.errors import LedgerDamaged
from reconciler.kinds.fields import SecretRef
from reconciler.ledger import codec
from reconciler.ledger.fingerprint import fingerprint, matches
from reconciler.ledger.migrate import MIGRATIONS, VERSION
from reconciler.ledger.remember import Memory, remembered
from reconciler.plan.change import Action, Change, Record
from reconciler.plan.outcome import Done
from reconciler.plan.owned import Entry, Ledger, field_digest, pointer
from reconciler.resource import Address

from .conftest import BOT, NIGHTLY, OWNER, TIME, TRIAGE, known, tainted

DIGEST = field_digest("x")


def text_of(**changes):
    """Spell a sound ledger of one entry, with changes to its text."""
    text = codec.dumps(known(TRIAGE, secret="s3cret")).decode()
    for old, new in changes.pop("replacing", {}).items():
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def test_no_value_is_in_it():
    """Neither a field's value nor a secret's, nor an unsalted digest of a secret, stands in the document."""
    token = SecretRef(source="env", name="TOKEN")
    record = Record(fields={"/system_prompt": field_digest("Be discreet.")}, secrets={"/token": token})
    create = Change(TRIAGE, Action.CREATE, body={"system_prompt": "Be discreet.", "token": token}, record=record)
    memory = Memory("r", {TRIAGE: "id_1"}, {"acme": "org_1"}, TIME, None, lambda _ref: tainted("hunter2-hunter2"))
    ledger = remembered(Ledger(OWNER), [Done(create)], memory, may_exist=lambda _outcome: False)
    text = codec.dumps(ledger).decode()
    assert "discreet" not in text
    assert "hunter2" not in text
    assert field_digest("hunter2-hunter2") not in text
    assert "TOKEN" not in text
    made = ledger.entries[TRIAGE]
    assert matches(made.secrets["/token"], tainted("hunter2-hunter2"))
    assert made.fields == {"/system_prompt": field_digest("Be discreet.")}


def test_bytes_are_canonical():
    """The same ledger is the same text, in whatever order it came about, and ends with one line end."""
    one = known(TRIAGE, BOT, NIGHTLY).with_begun([NIGHTLY, TRIAGE])
    entries = dict(reversed(one.entries.items()))
    other = Ledger(OWNER, 0, entries, frozenset([TRIAGE, NIGHTLY]))
    assert codec.dumps(one) == codec.dumps(other)
    assert codec.dumps(one).endswith(b"}\n")
    assert b"\r" not in codec.dumps(one)
    assert codec.loads(codec.dumps(one), place="here") == one


def test_a_thousand_resources_are_below_two_megabytes():
    """A thousand resources of a dozen fields and a secret each are well below two megabytes, and quick to read."""
    secret = fingerprint(tainted("s3cret"))
    names = ["system_prompt", "display_name", "description", "harness", "default_model", "capabilities", "tags"]
    paths = [pointer(path) for path in [(name,) for name in names] + [("config", f"option_{n}") for n in range(5)]]
    made = Entry("agent_" + "0" * 32, TIME, "c" * 40, False, dict.fromkeys(paths, DIGEST), {"/config/token": secret})
    ledger = Ledger(OWNER).with_applied(
        {Address("northwind-production", "Agent", f"support-triage-{n:04}"): made for n in range(1000)}
    )
    data = codec.dumps(ledger)
    assert len(data) < 2_000_000
    started = time.process_time()
    assert codec.loads(data, place="here") == ledger
    assert time.process_time() - started < 0.5


VERSION_0 = b"""{
  "format": "everruns.reconciler/ledger",
  "owner": {"environment": "production", "repository": "example.com/acme/fleet", "root": "manifests"},
  "resources": {
    "acme/Agent/triage": {
      "at": "2026-11-02T10:00:00Z", "commit": null, "fields": {}, "id": "agent_1", "kind": "Agent",
      "protect": true, "secrets": {}
    },
    "acme/App/bot/Channel/nightly": {
      "at": "2026-11-02T10:00:01Z", "commit": "a1b2c3d", "fields": {"/enabled": "%s"}, "id": "chan_1",
      "kind": "Channel", "protect": false, "secrets": {}
    }
  },
  "serial": 7,
  "version": 0
}
""" % DIGEST.encode()


def test_an_older_version_is_migrated():
    """A ledger of version 0 is read, and written as one of today."""
    ledger = codec.loads(VERSION_0, place="here")
    assert (ledger.owner, ledger.serial) == (OWNER, 7)
    assert ledger.get(TRIAGE) == Entry("agent_1", TIME, protect=True)
    assert ledger.get(NIGHTLY).fields == {"/enabled": DIGEST}
    assert b'"version": %d' % VERSION in codec.dumps(ledger)
    assert codec.loads(codec.dumps(ledger), place="here") == ledger


def test_every_older_version_has_a_step():
    """There is a step from every version to the next."""
    assert set(MIGRATIONS) == set(range(VERSION))


def test_a_newer_version_is_refused():
    """A ledger of a later reconciler is not guessed at."""
    with pytest.raises(LedgerDamaged, match="of version 2, this reconciler reads up to 1") as caught:
        codec.loads(text_of(replacing={'"version": 1': '"version": 2'}), place="here")
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ({'"version": 1': '"version": "1"'}, "no version"),
        ({'"version": 1': '"version": true'}, "no version"),
        ({'"format": "everruns': '"format": "x'}, "not a ledger"),
        ({'"serial": 0': '"serial": -1'}, "serial is no count"),
        ({'"serial": 0': '"serial": 0, "more": 1'}, "more is missing or surplus"),
        ({'"begun": []': '"begun": ["acme/Agent"]'}, "acme/Agent is no address"),
        ({'"begun": []': '"begun": {}'}, "begun is no list"),
        ({'"Agent/triage"': '"Agnt/triage"'}, "acme/Agnt/triage is no address of a kind that this version knows"),
        ({'"kind": "Agent"': '"kind": "App"'}, "acme/Agent/triage: its kind is said to be App"),
        ({'"protect": false': '"protect": 0'}, "acme/Agent/triage: protect is neither"),
        ({TIME: "yesterday"}, "acme/Agent/triage: applied_at is no time"),
        ({'"/display_name"': '"display_name"'}, "a path does not begin with /"),
        ({'"scrypt$1024': '"scrypt$1023'}, "secrets holds something that is no fingerprint"),
        ({'"scrypt$1024': '"s3cret'}, "secrets holds something that is no fingerprint"),
        ({'"id": "id_': '"id": 5, "x": "id_'}, "x is missing or surplus"),
        ({'"root": "manifests"': '"root": ""'}, "owner.root holds str where text belongs"),
        ({'"environment": "production",': ""}, "environment is missing"),
        ({'"orgs": {': '"orgs": [], "x": {'}, "x is missing or surplus"),
    ],
    ids=str,
)
def test_damage_is_refused(damage, says):
    """Anything that is not exactly a ledger is refused, with what is wrong, where, and how to begin anew."""
    with pytest.raises(LedgerDamaged, match=says) as caught:
        codec.loads(text_of(replacing=damage), place="over there")
    assert "over there" in str(caught.value)
    assert "ledger rebuild" in caught.value.hint


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"{", VERSION_0[:-200], b"[" * 5000], ids=str)
def test_what_is_no_ledger_is_refused(data):
    """Bytes that are no JSON, or another JSON, are refused in words."""
    with pytest.raises(LedgerDamaged, match="over there"):
        codec.loads(data, place="over there")


def test_a_damaged_old_version_is_refused():
    """A migration that stumbles says so."""
    with pytest.raises(LedgerDamaged, match="damaged: KeyError 'resources'"):
        codec.loads(VERSION_0.replace(b'"resources"', b'"resorces"'), place="here")


def test_a_message_quotes_no_more_than_somebody_reads():
    """What stands in a damaged ledger may be of any length; the message about it is not."""
    with pytest.raises(LedgerDamaged) as raised:
        codec.loads(text_of(replacing={'"kind": "Agent"': f'"kind": "{"x" * 50_000}"'}), place="here")
    assert len(raised.value.message) < 500
