"""The ledger as a value: what is remembered, what never is, and what happens to it."""

import hashlib
import time
from base64 import b64encode

import pytest

from reconciler.errors import LedgerDamaged, LedgerError
from reconciler.kinds.fields import SecretRef
from reconciler.ledger import codec
from reconciler.ledger.fingerprint import fingerprint, is_fingerprint, matches, matching
from reconciler.ledger.migrate import MIGRATIONS, VERSION
from reconciler.plan.owned import Entry, Ledger, entry, field_digest, pointer, steps
from reconciler.resource import Address

from .conftest import BOT, NIGHTLY, OWNER, TIME, TRIAGE, known

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
    made = entry(
        id="id_1",
        applied_at=TIME,
        fields={("system_prompt",): "Be discreet.", ("token",): SecretRef(source="env", name="TOKEN")},
        secrets={("token",): "hunter2-hunter2"},
    )
    text = codec.dumps(Ledger(OWNER).with_applied({TRIAGE: made})).decode()
    assert "discreet" not in text
    assert "hunter2" not in text
    assert field_digest("hunter2-hunter2") not in text
    assert matches(made.secrets["/token"], "hunter2-hunter2")
    assert made.fields == {"/system_prompt": field_digest("Be discreet."), "/token": made.fields["/token"]}


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
    secret = fingerprint("s3cret")
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


def test_changes_are_new_values():
    """Each change gives a new ledger and leaves the old one as it was."""
    ledger = Ledger(OWNER).with_begun([TRIAGE, BOT])
    applied = ledger.with_applied(known(TRIAGE).entries)
    assert (ledger.entries, applied.begun) == ({}, {BOT})
    assert applied.get(TRIAGE).commit
    assert applied.get(BOT) is None
    assert applied.without([TRIAGE, BOT, NIGHTLY]) == Ledger(OWNER)
    assert set(applied.entries) == {TRIAGE}


def test_a_rename_takes_children_along():
    """A renamed app keeps its channels; what is announced below it is renamed too."""
    ledger = known(TRIAGE, BOT, NIGHTLY).with_begun([Address("acme", "Channel", "daily", "bot")])
    renamed = ledger.renamed(BOT, BOT._replace(name="helper"))
    assert {str(address) for address in renamed.entries} == {
        "acme/Agent/triage",
        "acme/App/helper",
        "acme/App/helper/Channel/nightly",
    }
    assert {str(address) for address in renamed.begun} == {"acme/App/helper/Channel/daily"}
    assert renamed.get(BOT._replace(name="helper")) == ledger.get(BOT)


def test_a_rename_replaces_nobody():
    """A name that the ledger knows already is not given twice, nor does a rename change kind or organization."""
    other = BOT._replace(name="other")
    with pytest.raises(LedgerError, match="knows acme/App/other already"):
        known(BOT, other).renamed(BOT, other)
    with pytest.raises(LedgerError, match="knows acme/App/other/Channel/nightly already"):
        known(BOT, NIGHTLY, NIGHTLY._replace(parent="other")).renamed(BOT, other)
    for wrong in (BOT._replace(org="b"), TRIAGE):
        with pytest.raises(LedgerError, match="cannot become"):
            known(BOT).renamed(BOT, wrong)


def test_forgetting_names_something_known():
    """What is forgotten by name goes with all below it; a name that is not known is an error."""
    assert set(known(TRIAGE, BOT, NIGHTLY).forget(BOT).entries) == {TRIAGE}
    assert Ledger(OWNER).with_begun([BOT]).forget(BOT) == Ledger(OWNER)
    with pytest.raises(LedgerError, match="does not know acme/App/bot"):
        known(TRIAGE).forget(BOT)


@pytest.mark.parametrize("path", [("a", "b"), ("a.b",), ("a/b",), ("a~1b",), ("a~/b", "0"), ("",), ()])
def test_paths_are_spelled_without_loss(path):
    """No two paths are spelled alike, and each is read back."""
    assert steps(pointer(path)) == path


def test_values_that_differ_have_different_digests():
    """True is not 1, nor "1"; key order means nothing."""
    values = [True, 1, "1", 1.5, None, "", [], {}, [1], {"a": 1}]
    assert len({field_digest(value) for value in values}) == len(values)
    assert field_digest({"a": 1, "b": 2}) == field_digest({"b": 2, "a": 1})


def test_a_fingerprint_is_of_one_value():
    """Equal secrets look different; each is known again, and no other is taken for it."""
    one, two = fingerprint("s3cret"), fingerprint("s3cret")
    assert one != two
    assert matching([(one, "s3cret"), (two, "s3cret"), (one, "s3cret "), (two, "")]) == [True, True, False, False]
    assert matches(fingerprint("\ud800ü"), "\ud800ü")
    assert is_fingerprint(one)


def test_a_fingerprint_keeps_its_cost():
    """A fingerprint of another cost is still known, so that the cost can be raised one day."""
    assert matches("scrypt$16$8$1$AAAAAAAAAAAAAAAAAAAAAA==$" + _hash_of("s3cret", n=16), "s3cret")


@pytest.mark.parametrize(
    "odd", ["", "s3cret", "sha256:00", "scrypt$15$8$1$", "scrypt$1048576$64$16$", "scrypt$0$8$1$", "scrypt$16$0$1$"]
)
def test_a_malformed_fingerprint_is_nobodys(odd):
    """What is no fingerprint, or costs more than anybody should pay, matches nothing."""
    odd = odd + "AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "=" if odd.endswith("$") else odd
    assert not is_fingerprint(odd)
    assert not matches(odd, "s3cret")


def _hash_of(value, *, n):

    return b64encode(hashlib.scrypt(value.encode(), salt=bytes(16), n=n, r=8, p=1, dklen=32)).decode()


def test_two_hundred_secrets_are_not_felt():
    """All the secrets of a large fleet are looked at in well under a second of any one processor."""
    pairs = [(fingerprint("s3cret"), "s3cret")] * 200
    started = time.process_time()
    assert all(matching(pairs))
    assert time.process_time() - started < 2


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
    assert "forget --all" in caught.value.hint


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"{", VERSION_0[:-200], b"[" * 5000], ids=str)
def test_what_is_no_ledger_is_refused(data):
    """Bytes that are no JSON, or another JSON, are refused in words."""
    with pytest.raises(LedgerDamaged, match="over there"):
        codec.loads(data, place="over there")


def test_a_damaged_old_version_is_refused():
    """A migration that stumbles says so."""
    with pytest.raises(LedgerDamaged, match="damaged: KeyError 'resources'"):
        codec.loads(VERSION_0.replace(b'"resources"', b'"resorces"'), place="here")
