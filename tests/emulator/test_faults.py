"""The language of faults, and which requests they happen to."""

import pytest

from reconciler.emulator.fault_book import FaultBook
from reconciler.emulator.faults import KNOWN, FaultError, Span, manual, parse, parse_header


def test_a_fault_reads_with_its_defaults():
    """A name alone is a fault: every request it can happen to, every time."""
    fault = parse("503")
    assert (fault.name, fault.path, fault.times, fault.skip, fault.rate) == ("503", "*", None, 0, 1.0)
    assert fault.options == {"when": "before"}


def test_a_fault_reads_with_every_option():
    """Options are given as OPTION=VALUE, quoted as in a shell; `/api` in front of a path makes no difference."""
    fault = parse("edit method=get,patch path=/api/v1/agents/* times=2 skip=1 rate=0.5 value='two words'")
    assert fault.methods == ("GET", "PATCH")
    assert (fault.path, fault.times, fault.skip, fault.rate) == ("/v1/agents/*", 2, 1, 0.5)
    assert fault.options["value"] == "two words"
    assert parse("latency seconds=0.1..0.5").options["seconds"] == Span(0.1, 0.5)
    assert parse("429 retry-after=none").options["retry-after"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a fault needs a name: latency, 429"),
        ("cutt", "no such fault: cutt; did you mean cut?"),
        ("zzz", "no such fault: zzz; there are latency, 429"),
        ("cut wen=after", "cut: no such option: wen; did you mean when?"),
        ("cut after", "cut: 'after' is not OPTION=VALUE"),
        ("cut when=late", "cut: when takes before or after or body, not 'late'"),
        ("503 when=after when=before", "503: when is given twice"),
        ("503 rate=2", "503: rate takes a number between 0 and 1, not '2'"),
        ("503 times=-1", "503: times takes a whole number, not '-1'"),
        ("503 method=FETCH", "503: method takes methods separated by commas"),
        ("503 path=v1", "503: path takes a path such as /v1/agents"),
        ("latency seconds=0.5..0.1", "latency: seconds takes 0.2, or a range"),
        ("conflict method=GET", "conflict: happens to POST only"),
        ("503 path='", "No closing quotation"),
    ],
)
def test_a_fault_that_is_wrong_is_refused(text, message):
    """A fault that cannot be read says what is wrong and what would do."""
    with pytest.raises(FaultError) as refused:
        parse(text)
    assert message in str(refused.value)


def test_a_header_holds_faults_of_its_own_request():
    """A header holds several faults, without what chooses among requests."""
    assert [fault.name for fault in parse_header("latency seconds=0; 503 when=after")] == ["latency", "503"]
    with pytest.raises(FaultError, match="about its own request"):
        parse_header("503 rate=0.5")


def test_the_manual_names_everything():
    """The help on faults lists every fault and every option."""
    text = manual()
    assert all(f"\n  {name} " in text for name in KNOWN)
    assert all(f" {key}=" in text for kind in KNOWN.values() for key in kind.options)


def decisions(book, requests):
    """Say for each request which faults happened to it."""
    return [[(hit.fault.name, round(hit.seconds, 6)) for hit in book.choose(*one, None)] for one in requests]


def test_times_and_skip_count_matching_requests():
    """A fault lets the first matching requests pass, then happens as often as it is told."""
    book = FaultBook(["503 method=POST path=/v1/agents skip=1 times=2"])
    requests = [("GET", "/v1/agents"), *[("POST", "/v1/agents")] * 4, ("POST", "/v1/apps")]
    assert [len(one) for one in decisions(book, requests)] == [0, 0, 1, 1, 0, 0]
    assert book.describe()["faults"] == [
        {"fault": "503 method=POST path=/v1/agents skip=1 times=2", "seen": 4, "fired": 2}
    ]


def test_the_seed_and_the_order_of_requests_decide():
    """The same seed and the same requests give the same faults and the same delays; another seed gives others."""
    texts = ["latency seconds=0.1..0.9 rate=0.5", "503 rate=0.3", "cut rate=0.3 method=POST"]
    requests = [("POST" if number % 3 else "GET", f"/v1/agents/{number}") for number in range(200)]
    first, second, other = (decisions(FaultBook(texts, seed=seed), requests) for seed in (7, 7, 8))
    assert first == second
    assert first != other


def test_a_fault_draws_alone():
    """What another fault does, and requests that a fault is not about, change nothing in what it decides."""
    requests = [("POST", "/v1/agents"), ("GET", "/v1/agents")] * 100
    alone = decisions(FaultBook(["503 rate=0.4 method=POST"], seed=7), requests)
    beside = decisions(FaultBook(["503 rate=0.4 method=POST", "429 method=GET rate=0.9"], seed=7), requests)
    assert alone[::2] == beside[::2]


def test_a_rate_is_kept():
    """A rate of one in ten hits about one request in ten."""
    book = FaultBook(["500 rate=0.1"], seed=1)
    hits = sum(bool(book.choose("GET", "/v1/agents", None)) for _ in range(5000))
    assert 400 < hits < 600


def test_delays_add_up_and_of_the_rest_the_first_happens():
    """Every delay that hits happens; of the other faults only the first that hits, and only it is counted."""
    book = FaultBook(["latency seconds=1", "503 times=1", "429", "latency seconds=2"])
    request = ("GET", "/v1/agents")
    assert decisions(book, [request, request]) == [
        [("latency", 1.0), ("503", 0.0), ("latency", 2.0)],
        [("latency", 1.0), ("429", 0.0), ("latency", 2.0)],
    ]
    assert [one["fired"] for one in book.describe()["faults"]] == [2, 1, 1, 2]


def test_a_header_comes_first():
    """What the header of a request asks for takes the place of what else would happen to it."""
    book = FaultBook(["503"])
    hits = book.choose("GET", "/v1/agents", "429; 500; latency seconds=1..2")
    assert [(hit.fault.name, hit.seconds) for hit in hits] == [("429", 0.0), ("latency", 1.5)]
    assert book.describe()["faults"][0]["fired"] == 0


def test_a_book_goes_back_to_its_beginning():
    """Faults can be replaced, added to and brought back, always counted anew."""
    book = FaultBook(["503 times=1"], seed=3)
    book.choose("GET", "/v1/agents", None)
    book.add(["429"])
    assert [one["fired"] for one in book.describe()["faults"]] == [1, 0]
    book.replace([], seed=9)
    assert (book.is_armed, book.seed) == (False, 9)
    book.restart()
    assert book.describe() == {"seed": 3, "faults": [{"fault": "503 times=1", "seen": 0, "fired": 0}]}
    with pytest.raises(FaultError):
        book.replace(["503", "nonsense"])
    assert len(book.describe()["faults"]) == 1
