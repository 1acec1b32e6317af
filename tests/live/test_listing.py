"""Lists: whole ones, from pages read at once, or a clear fault."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.api_errors import ServerFault
from reconciler.kinds import BY_NAME
from reconciler.live.listing import PAGE, Query, listed
from reconciler.live.readers import SERIAL

AGENT, MEMORY = BY_NAME["Agent"], BY_NAME["Memory"]


class Pages:
    """Answers like a paged list whose content may change between requests."""

    def __init__(self, *contents):
        self.contents = list(contents)
        self.asked = []

    def get(self, path, *, doing, org=None, params=None):
        """Give one page of what there is by now."""
        self.asked.append((path, org, dict(params)))
        items = self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]
        start, limit = int(params["offset"]), int(params["limit"])
        return {"data": [{"id": str(i), "name": str(i)} for i in items[start : start + limit]], "total": len(items)}


def whole(client, pool=SERIAL, kind=AGENT):
    """List one kind and return the ids."""
    (wires,) = listed(client, [Query(kind, "org_1", "acme")], pool=pool).values()
    return [wire["id"] for wire in wires]


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (PAGE, 1), (PAGE + 1, 2), (3 * PAGE, 3), (950, 10)])
def test_pages(count, requests):
    """One request for each hundred, the first included, and every item once in the server's order."""
    pages = Pages(range(count))
    assert whole(pages) == [str(i) for i in range(count)]
    offsets = [params["offset"] for _, _, params in pages.asked]
    assert offsets == [str(start) for start in range(0, max(count, 1), PAGE)]
    assert len(offsets) == requests
    assert all(params["limit"] == "100" and params["include_archived"] == "true" for _, _, params in pages.asked)
    assert {(path, org) for path, org, _ in pages.asked} == {("/v1/agents", "org_1")}


def test_pages_are_read_at_once(world):
    """The other pages do not wait for each other."""
    for number in range(3 * PAGE + 1):
        world.post("/v1/agents", name=f"a{number}", system_prompt="")
    with ThreadPoolExecutor(4) as pool:
        (wires,) = listed(world.reader(), [Query(AGENT, world.org, "acme")], pool=pool).values()
    assert [wire["name"] for wire in wires] == [f"a{number}" for number in reversed(range(3 * PAGE + 1))]
    assert len(world.sent) == 4


def test_an_unpaged_kind_is_one_request(world):
    """A list without pages is asked for once, without limit and offset."""
    world.post("/v1/memories", name="docs")
    (wires,) = listed(world.reader(), [Query(MEMORY, world.org, "acme")], pool=SERIAL).values()
    assert [wire["name"] for wire in wires] == ["docs"]
    assert [(sent.path, sent.query) for sent in world.sent] == [("/v1/memories", "include_archived=true")]


def test_something_new_in_front_shifts_the_pages():
    """An item seen twice is kept once, and none is missed."""
    before, after = list(range(150)), [-1, *range(150)]
    assert sorted(map(int, whole(Pages(before, after)))) == list(range(150))


def test_something_gone_makes_it_read_again():
    """An item that slipped between two pages is found by reading all of it again."""
    before, after = list(range(250)), list(range(1, 250))
    pages = Pages(before, after)
    assert sorted(map(int, whole(pages))) == list(range(1, 250))
    assert len(pages.asked) == 6


def test_an_item_that_slipped_is_not_lost():
    """When fewer items came than every page says there are, the list is read again."""

    class Slipping(Pages):
        def get(self, path, *, doing, org=None, params=None):
            page = super().get(path, doing=doing, org=org, params=params)
            if len(self.asked) == 2:
                del page["data"][0]
            return page

    pages = Slipping(range(150))
    assert len(whole(pages)) == 150
    assert len(pages.asked) == 4


def test_a_list_that_never_stands_still():
    """After three readings that each missed something it is a fault, never half a list."""

    class Restless(Pages):
        def get(self, path, *, doing, org=None, params=None):
            page = super().get(path, doing=doing, org=org, params=params)
            page["data"] = page["data"][:-1]
            return page

    pages = Restless(range(150))
    with pytest.raises(ServerFault, match="kept changing"):
        whole(pages)
    assert len(pages.asked) == 7


GARBAGE = [
    ("nothing", None),
    ("a list", [{"id": "1"}]),
    ("text", "agents"),
    ("no data", {"total": 1}),
    ("data that is no list", {"data": {"id": "1"}, "total": 1}),
    ("items that are none", {"data": [1], "total": 1}),
    ("items without id", {"data": [{"name": "a"}], "total": 1}),
    ("ids that are numbers", {"data": [{"id": 1}], "total": 1}),
    ("ids that are null", {"data": [{"id": None}], "total": 1}),
]
NO_TOTAL = [
    ("no total", {"data": []}),
    ("a total in words", {"data": [], "total": "many"}),
    ("a total that is true", {"data": [], "total": True}),
    ("half a total", {"data": [], "total": 1.5}),
    ("a negative total", {"data": [], "total": -1}),
]


@pytest.mark.parametrize(("name", "page"), GARBAGE + NO_TOTAL)
@pytest.mark.parametrize("kind", [AGENT, MEMORY], ids=["paged", "whole"])
def test_garbage(kind, name, page):
    """What is no list of things with ids is a fault, before anything is concluded from it."""

    class Client:
        def get(self, path, **_more):
            return page

    if kind is MEMORY and (name, page) in NO_TOTAL:
        assert whole(Client(), kind=kind) == []
        return
    with pytest.raises(ServerFault) as raised:
        whole(Client(), kind=kind)
    assert raised.value.message.startswith(f"listing {kind.plural} of acme: the answer ")


@pytest.mark.parametrize("total", [10**7, 10**15])
def test_a_total_beyond_reason(total):
    """A server that promises millions and gives one page is not asked for the rest."""

    class Boaster(Pages):
        def get(self, path, *, doing, org=None, params=None):
            assert len(self.asked) < 100, "asked for too much"
            return super().get(path, doing=doing, org=org, params=params) | {"total": total}

    with pytest.raises(ServerFault):
        whole(Boaster(range(10)))
