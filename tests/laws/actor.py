"""A world for laws that go on: who did what, whose every row is, and what was told on the way."""

import json
import os
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

from reconciler.errors import ReconcilerError
from reconciler.kinds.session import named
from reconciler.plan.change import Action
from reconciler.plan.outcome import Failed
from reconciler.settings import settings as settings_of
from reconciler.views import find_drift
from tests.survival.trouble import Death
from tests.survival.wire import STILL, Wire

from .fleets import SECRETS
from .steps import UNCLEAR, pending, refusals, settle, stored

TABLES = {"Memory": "memories", "Agent": "agents", "App": "apps", "Session": "sessions"}
UNTOLD = SimpleNamespace(sent=lambda *_: None, answered=lambda *_: None, settle=lambda: None)
"""In the place of the published description: faults break it on purpose."""


class Actor:
    """Somebody with a world: declares, applies, clicks in the UI, and knows what nobody may touch."""

    def __init__(self, world):
        self.world = world
        world.meddler.contract = UNTOLD
        world.meddler.app = Wire(world.emulator)
        world.clock = STILL
        self.foreign = {}

    @property
    def ledger(self):
        """Where the ledger lies."""
        return self.world.folder.with_suffix(".ledger")

    # --- the tool ---

    def apply(self):
        """Apply without trouble and insist on everything that holds after it; says whether the plan was clear."""
        self._claim()
        if faults := refusals(self.world):
            assert all(any(unclear in fault for unclear in UNCLEAR) for fault in faults), faults
            self._insist_untouched()
            return False
        told = [settle(self.world)]
        self.world.forget()
        assert pending(self.world.plan()) == []
        told.append(settle(self.world))
        assert told[-1].outcomes == ()
        assert self.world.writes == []
        self._insist_untold(told)
        self._insist_untouched()
        self._insist_exact()
        return True

    def struggle(self, faults=(), *, seed=0, dies_at=None, carried_out=False):
        """Apply with faults on the way, or up to a request at which the run dies; nothing is expected of its end."""
        world = self.world
        self._claim()
        world.emulator.faults.replace(faults, seed=seed)
        death = Death(world.meddler.app, dies_at, carried_out, self.ledger) if dies_at else None
        world.meddler.app = death or world.meddler.app
        told = []
        try:
            plan = world.plan()
            plan = world.plan(allow_archive=_gone(plan)) if plan.refusals else plan
            applied = world.apply(plan, recheck=False)
            told += [plan, applied]
            failed = [one.error for one in applied.outcomes if isinstance(one, Failed)]
            told += [f"{error!r} {error.hint}" for error in failed]
            assert not [error for error in failed if "defect of reconciler" in str(error.hint)]
        except ReconcilerError as error:
            told.append(f"{error!r} {error.hint}")
        finally:
            world.emulator.faults.replace([])
            if death:
                world.meddler.app = death.app
                death.bury()
        self._insist_untold(told)
        self._insist_untouched()

    def look(self):
        """Plan and find drift, which writes nothing at all."""
        world = self.world
        before = self.dumped()
        world.forget()
        told = []
        for reads in (world.plan, self._drift):
            try:
                told.append(reads())
            except ReconcilerError as error:
                told.append(f"{error!r} {error.hint}")
        assert {sent.method for sent in world.sent} <= {"GET"}
        assert self.dumped() == before
        self._insist_untold(told)

    def _drift(self):
        chosen = settings_of(env={})
        wanted = self.world.wanted()
        now = datetime.now(UTC)
        return find_drift(wanted, chosen, client=self.world.reader(), config=self.world.config, now=now)

    def dumped(self):
        """Take everything the platform has, and the ledger."""
        files = sorted(path for path in self.ledger.rglob("*.json")) if self.ledger.exists() else []
        return "\n".join(self.world.emulator.store._db.iterdump()), [path.read_bytes() for path in files]

    # --- others ---

    def takes(self, kind, name):
        """Somebody else makes a thing."""
        body = {"title" if kind == "Session" else "name": name} | (
            {"system_prompt": "Theirs."} if kind == "Agent" else {}
        )
        body |= {"harness_id": self.world.harness} if kind == "App" else {}
        made = self.world.post(f"/v1/{TABLES[kind]}", **body)
        if kind == "App":
            hook = {"channel_type": "webhook", "channel_config": {"token": "theirs", "message": "Theirs"}}
            self.world.post(f"/v1/apps/{made['id']}/channels", **hook)
        self.remember(made["id"])

    def edits(self, kind, ident, text):
        """Somebody describes a thing anew in the UI, theirs or ours."""
        field = "title" if kind == "Session" else "description"
        self.world.api.patch(f"/v1/{TABLES[kind]}/{ident}", json={field: text})
        self.remember(ident)

    def archives(self, kind, ident):
        """Somebody archives a thing in the UI, theirs or ours; a session is gone for good."""
        self.world.api.delete(f"/v1/{TABLES[kind]}/{ident}")
        if kind == "Session":
            self.foreign.pop(ident, None)
        self.remember(ident)

    def remember(self, ident):
        """Remember how a thing is now, with what is below it, unless it is ours."""
        if ident in {entry.id for entry in self.world.ledger.entries.values()}:
            return
        family = self.world.emulator.store.query("SELECT id, body FROM documents WHERE ? IN (id, parent)", (ident,))
        self.foreign |= dict(family)

    def disown(self, kind, title):
        """Remember as nobody's what git no longer calls so and the ledger never learnt of: it stays as it is."""
        for item in self.world.live(TABLES[kind]):
            if called(kind, item) == title.lower():
                self.remember(item["id"])

    def title(self, kind, name):
        """Give the name on the platform of what is declared."""
        return self.world.declared[kind, name].get("spec", {}).get("name", name)

    def lose_ledger(self):
        """Forget what is ours: what git does not declare now is nobody's, and stays as it is from now on."""
        kept = {(kind, self.title(kind, name).lower()) for kind, name in self.world.declared}
        self.world.lose_ledger()
        for kind, table in TABLES.items():
            for item in self.world.live(table):
                if (kind, called(kind, item)) not in kept:
                    self.remember(item["id"])

    def _claim(self):
        """Take from nobody what git declares by its name: the rule of this world is to take that over."""
        wanted = {(kind, self.title(kind, name).lower()) for kind, name in self.world.declared}
        for kind, table in TABLES.items():
            for item in self.world.live(table):
                if (kind, called(kind, item)) in wanted:
                    family = {item["id"], *(channel["id"] for channel in item.get("channels", ()))}
                    self.foreign = {one: text for one, text in self.foreign.items() if one not in family}

    # --- what holds ---

    def live(self):
        """Give what is live and not archived: kind and id of each."""
        return [
            (kind, item["id"])
            for kind, table in TABLES.items()
            for item in self.world.live(table)
            if item["status"] not in ("archived", "deleted")
        ]

    def _insist_untouched(self):
        """Nothing unowned was written, and no more is live than git, others and the ledger account for."""
        now = stored(self.world)
        touched = {ident: (text, now.get(ident)) for ident, text in self.foreign.items() if now.get(ident) != text}
        assert not touched
        theirs = [ident for _, ident in self.live() if ident in self.foreign]
        entries = self.world.ledger.entries.items()
        leaving = [at for at, _ in entries if at.kind in TABLES and (at.kind, at.name) not in self.world.declared]
        assert len(self.live()) <= len(self.world.declared) + len(theirs) + len(leaving)

    def _insist_exact(self):
        """What is live is what git declares and what others have, and the ledger owns just that."""
        mine = {ident for _, ident in self.live() if ident not in self.foreign}
        owned = {at: entry.id for at, entry in self.world.ledger.entries.items()}
        top = {at: ident for at, ident in owned.items() if at.kind in TABLES}
        assert {(at.kind, at.name) for at in top} == set(self.world.declared)
        assert set(top.values()) == mine
        assert len(mine) == len(self.world.declared)
        channels = {(name, one["name"]) for (_, name), doc in self.world.declared.items() for one in _channels(doc)}
        assert {(at.parent, at.name) for at in owned if at.kind == "Channel"} == channels
        assert not self.world.ledger.begun

    def _insist_untold(self, told):
        text = "\n".join([*map(repr, told), json.dumps(self.dumped()[1], default=bytes.decode)])
        assert not [name for name in SECRETS if os.environ[name] in text]


def called(kind, item):
    """Give the name by which git knows a live thing, in lower case: of a session the one in its tag."""
    return named(item) if kind == "Session" else item["name"].lower()


def _channels(document):
    return document.get("spec", {}).get("channels", [])


def _gone(plan):
    """Count by kind what a plan would archive."""
    return dict(Counter(one.address.kind for one in plan.changes if one.action is Action.ARCHIVE and not one.replaces))
