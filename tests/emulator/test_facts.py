"""Which facts of the two documents the emulator keeps, which it does not and why: the gap, in figures."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from reconciler.emulator import routes, unserved

FOLDER = Path(__file__).parent
TABLE = yaml.safe_load((FOLDER / "facts.yaml").read_text(encoding="utf-8"))
FACTS = {f"{section}.{number}": fact for section, facts in TABLE.items() for number, fact in enumerate(facts, 1)}
TOPICS = (
    *("orgs", "apps", "channels", "errors", "auth", "headers", "ids", "limits"),
    *("agents", "versions", "memories", "harnesses", "identities", "models", "sessions", "chat"),
)
CITING = re.compile(rf"test_({'|'.join(TOPICS)})_\d(_\d+)?_.*")


def _tests(folder):
    """Give the names of all tests below a folder."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("test_*.py")]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {function.name for function in functions if function.name.startswith("test_")}


@pytest.mark.parametrize("ident", FACTS)
def test_fact_is_kept_or_its_absence_explained(ident):
    """A fact has its words and exactly one of: tests, why it is open, why it is nothing for an emulator."""
    fact = FACTS[ident]
    assert str(fact["says"]).strip()
    (verdict,) = fact.keys() - {"says"}
    assert verdict in {"tests", "open", "aside"}
    assert str(fact[verdict]).strip()


def test_tests_that_are_named_exist():
    """The table names no test that is gone."""
    named = {name for fact in FACTS.values() for name in fact.get("tests", "").split()}
    assert not named - _tests(FOLDER.parent)


def test_tests_that_cite_a_fact_are_named():
    """A test of the emulator that has a section in its name is in the table."""
    named = {name for fact in FACTS.values() for name in fact.get("tests", "").split()}
    citing = {name for name in _tests(FOLDER) if CITING.fullmatch(name)}
    assert not citing - named


REFUSED = [
    f"{route.method} {route.rule}"
    for route in routes.ROUTES
    if route.handler is unserved.refuse and re.match("/v1/(agents|harnesses|orgs)/", route.rule)
]


@pytest.mark.parametrize("operation", REFUSED)
def test_what_is_not_served_is_open(operation):
    """An operation of agents, harnesses or organizations that answers 501 is named by an open fact, with the reason."""
    named = [fact for fact in FACTS.values() if re.search(f"{re.escape(operation)}(,|$)", str(fact["says"]))]
    assert ["open" in fact for fact in named] == [True]


def test_the_gap_is_shown(record_property, capsys):
    """How many facts are kept, open and aside, and every open one with its reason."""
    verdicts = Counter(next(iter(fact.keys() - {"says"})) for fact in FACTS.values())
    assert verdicts.total() == len(FACTS)
    for verdict, number in verdicts.items():
        record_property(f"facts {verdict}", number)
    with capsys.disabled():
        print(f"\n{len(FACTS)} facts: {verdicts['tests']} kept, {verdicts['open']} open, {verdicts['aside']} aside")  # noqa: T201
        for ident, fact in FACTS.items():
            if "open" in fact:
                print(f"  open {ident}: {fact['says']} ({fact['open']})")  # noqa: T201
