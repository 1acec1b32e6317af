"""The WSGI application: START HERE. A request may meet a fault, then `dispatch` takes it through the server's order."""

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request

from reconciler.emulator import (
    answers,
    control,
    dispatch,
    file_tree,
    git_addresses,
    ids,
    misbehaviour,
    orgs,
    profiles,
    seeds,
)
from reconciler.emulator.answers import Answer
from reconciler.emulator.call import Deployment, Reply
from reconciler.emulator.control import Controls
from reconciler.emulator.fault_book import FaultBook, Struck
from reconciler.emulator.faults import HEADER, FaultError
from reconciler.emulator.inside import Inside, is_inside, split
from reconciler.emulator.journal import Journal
from reconciler.emulator.limits import checked
from reconciler.emulator.misbehaviour import APPLIED, CutError, Outcome, Strike
from reconciler.emulator.problems import ProblemError, RejectionError, bad_request, internal
from reconciler.emulator.store import Store
from reconciler.emulator.sync_worker import SyncWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Recorder = Callable[[str, str], None]
PROFILES = tuple(profiles.PROFILES)
FAULT_KEY = "HTTP_X_EMULATOR_FAULT"
logger = logging.getLogger(__name__)


def create_app(  # noqa: PLR0913 - the switches of the stand-in, all by keyword
    *,
    data: str | None = None,
    profile: str = "seeds",
    recorder: Recorder | None = None,
    tokens: Mapping[str, str] | None = None,
    limits: Mapping[str, int | None] | None = None,
    default_org: bool = False,
    seed: Any = None,
    faults: Sequence[str] = (),
    fault_seed: int | None = None,
    control: bool = True,
    git_base: str | None = None,
    sync_poll: float | None = None,
) -> "Emulator":
    """Make the application: `data` None keeps everything in memory, `tokens` maps a bearer token to a role.

    `seed` is a document as `seeds` has it, for a store that is empty; `faults` are in the language of `faults`, and
    `fault_seed` makes a run of them repeatable. `control` False closes the control endpoints and the fault header.

    Profiles: `seeds` follows the pages of the API, `strict` adds the refusals of its later builds,
    `frozen` no longer takes writes to apps; `profiles.VARIANTS` may be added, as in `seeds+unredacted`.
    Roles: owner, admin, member, and stranger (in no organization but its own).
    `limits` has caps and rates by the names in `limits.PLATFORM`; what is not named has none.
    Memories are synced from their repositories every `sync_poll` seconds (None or 0: never by itself); `git_base` is
    where their mirrors lie, as BASE/owner/repo.git for GitHub and BASE/host/path.git for others.
    """
    profiles.named(profile)
    deployment = Deployment(profile=profile, limits=checked(limits or {}), tokens=tokens)
    base = None if git_base is None else git_addresses.base_url(git_base)
    book = FaultBook(faults, seed=fault_seed)
    store = Store(data)
    try:
        file_tree.prepare(store)
        emulator = Emulator(
            store,
            deployment,
            recorder=recorder,
            default_org=default_org,
            seed=seed,
            faults=book,
            control=control,
            sync=SyncWorker(store, base=base, spelling=deployment.age.synced),
        )
    except BaseException:
        store.close()
        raise
    if sync_poll:
        emulator.sync.start(poll=sync_poll)
    return emulator


class Emulator:
    """The WSGI callable; `store` and `sync` are open to tests, `close` releases the database."""

    def __init__(  # noqa: PLR0913 - the parts it is made of, by keyword
        self,
        store: Store,
        deployment: Deployment,
        *,
        recorder: Recorder | None,
        default_org: bool,
        seed: Any,
        faults: FaultBook,
        control: bool,
        sync: SyncWorker,
    ) -> None:
        self.store = store
        self.faults = faults
        self.journal = Journal()
        self.sync = sync
        self._deployment = deployment
        self._recorder = recorder
        self._default_org = default_org
        self._seed = seed
        self._inside = Inside(self._answer)
        self._controls = Controls(
            profile=deployment.profile,
            faults=faults,
            journal=self.journal,
            reset=self.reset,
            seed=self.plant,
            is_open=control,
        )
        with store.transaction():
            self._begin(seed=seed if store.is_empty() else None)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        if self.faults.is_armed or (FAULT_KEY in environ and self._controls.is_open):
            (status, body, headers), deliver = self._misbehave(request)
        else:
            (status, body, headers), deliver = self._answer(request), misbehaviour.whole
            self._note(request, status)
        headers["X-Request-ID"] = request.headers.get("X-Request-ID") or str(uuid.uuid4())
        if status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(body))
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [] if request.method == "HEAD" else deliver(body)

    def reset(self) -> None:
        """Go back to the beginning: the data, the faults, no requests."""
        with self.store.transaction():
            self.store.clear()
            self._begin(seed=self._seed)
        self.faults.restart()
        self.journal.clear()

    def plant(self, document: Any) -> dict[str, int]:
        """Create what a seed says, all of it or nothing, and count it by kind; raises SeedError."""
        return seeds.plant(document, inside=self._inside, store=self.store)

    def close(self) -> None:
        """Stop the worker and close the database."""
        self.sync.stop()
        self.store.close()

    def _begin(self, *, seed: Any) -> None:
        """Make the default organization where it is wanted and missing, and what the seed says."""
        if self._default_org and self.store.get("", "orgs", ids.DEFAULT_ORG) is None:
            owner = ids.derived("user", "owner")
            orgs.found(self.store, name="Default", user=owner, ident=ids.DEFAULT_ORG)
        if seed is not None:
            self.plant(seed)

    def _misbehave(self, request: Request) -> Outcome:
        """Let the faults happen that are asked for, if any."""
        path = split(request.path)[1]
        header = request.headers.get(HEADER) if self._controls.is_open else None
        if path.startswith(control.PREFIX):
            return self._answer(request), misbehaviour.whole
        try:
            hits = self.faults.choose(request.method, path, header)
        except FaultError as error:
            return answers.refusal(bad_request(f"{HEADER}: {error}")), misbehaviour.whole
        names = request.environ[APPLIED] = [hit.fault.text for hit in hits]
        try:
            outcome = misbehaviour.strike([self._strike(hit, request) for hit in hits], lambda: self._answer(request))
        except CutError:
            self._note(request, None, names)
            raise
        self._note(request, outcome[0][0], names)
        return outcome

    def _strike(self, hit: Struck, request: Request) -> Strike:
        """Give a fault the means to happen."""
        return Strike(
            struck=hit,
            request=request,
            carry_out=lambda: self._answer(request),
            refuse=answers.refusal,
            inside=self._inside,
            store=self.store,
        )

    def _note(self, request: Request, status: int | None, faults: Sequence[str] = ()) -> None:
        """Put a request into the journal, unless it is one about the emulator itself."""
        if not request.path.startswith(control.PREFIX):
            self.journal.add(request.method, request.path, status, faults)

    def _answer(self, request: Request) -> Answer:
        """Run a request and turn whatever comes out of it into status, body and headers."""
        try:
            return answers.success(self._run(request))
        except ProblemError as problem:
            return answers.refusal(problem)
        except RejectionError as rejection:
            return answers.rejection(rejection)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return answers.refusal(internal())

    def _run(self, request: Request) -> Reply:
        """Run a request, one about the emulator itself or one of the API."""
        _, path = split(request.path)
        if path.startswith(control.PREFIX):
            return control.answer(request, path, self._controls)
        if self._recorder and not is_inside(request):
            self._recorder(request.method, path)
        return dispatch.run(request, path, store=self.store, deployment=self._deployment)
