"""The lists of what is known to differ: every entry does something, names what exists and cites a fact."""

from pathlib import Path

import pytest
import yaml

from .contract import ABSENT, Contract
from .deviations import DEVIATIONS, amended
from .generated import RUNS
from .published import document, operations, served
from .rulings import RULINGS

TABLE = yaml.safe_load((Path(__file__).parents[1] / "emulator" / "facts.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda one: one.reason)
def test_a_deviation_changes_the_file(deviation):
    """Nothing is listed that the published file already says, and each entry cites a section of the facts."""
    spec = document()
    deviation.amend(spec)
    assert spec != document()
    assert deviation.fact in TABLE


def test_a_deviation_allows_no_status_everywhere():
    """Only what every operation does is said of all: a token is asked for. Any other status names its operations."""
    listed, read = operations(document()), operations(amended())
    for status in ("403", "404", "409", "429", "500"):
        added = {
            ident for ident in listed if status in read[ident]["responses"].keys() - listed[ident]["responses"].keys()
        }
        assert len(added) <= 20, status


@pytest.mark.parametrize("ruling", RULINGS, ids=lambda one: f"{one.fact} {one.reason}")
def test_a_ruling_is_about_something(ruling):
    """A ruling names operations that exist, cites a fact, says what is answered and which run has to need it."""
    assert ruling.run in RUNS
    assert set(ruling.ids.split()) <= operations(document()).keys()
    assert ruling.fact in TABLE
    assert ruling.status in (200, 201, 204) or ruling.detail != ".*"


def test_what_the_file_lacks_is_served():
    """Every operation that is said to be missing from the file is served and is missing."""
    assert ABSENT.keys() <= served()


@pytest.fixture
def contract():
    """Give a contract that has seen nothing."""
    before, Contract.fitting = Contract.fitting, set()
    yield Contract()
    Contract.fitting = before


def test_contract_notices_a_bad_request(contract):
    """A request without a required member, or of an unknown operation, fails the test that sent it."""
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    contract.sent("POST", "/v1/memories", "", headers, b"{}")
    contract.sent("GET", "/v1/invented", "", headers, b"")
    with pytest.raises(AssertionError, match=r"'name' is a required property(.|\n)*invented"):
        contract.settle()


def test_contract_notices_a_bad_answer(contract):
    """An answer with an undocumented status or without a required member fails the test that got it."""
    problem = {"content-type": "application/problem+json"}
    contract.answered("GET", "/api/v1/orgs", "", 418, problem, b"{}")
    contract.answered("GET", "/v1/orgs", "", 200, {"content-type": "application/json"}, b'{"data": [{"id": "x"}]}')
    with pytest.raises(AssertionError, match=r"418(.|\n)*is a required property"):
        contract.settle()


def test_contract_passes_what_was_meant(contract):
    """A test may say which deviation it means."""
    contract.but("GET /v1/invented is in the file neither")
    contract.sent("GET", "/v1/invented", "", {}, b"")
    contract.settle()


def test_contract_forgets_no_fault(contract):
    """What one test means is still a fault in the next."""
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    contract.but("POST /v1/memories : ")
    contract.sent("POST", "/v1/memories", "", headers, b"{}")
    contract.settle()
    other = Contract()
    other.sent("POST", "/v1/memories", "", headers, b"{}")
    with pytest.raises(AssertionError, match="'name' is a required property"):
        other.settle()
