"""SARIF and JUnit of a drift: what their published forms ask for, and what code scanning refuses a log without."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given

from reconciler.ci.drift_files import junit, sarif
from reconciler.plan.drift import Drift, Drifted, What
from reconciler.resource import Address

from ..report.anything import DRIFT  # noqa: TID252 - tests are found by path

TOP = Path("/work/checkout")


def logged(drift):
    """Return the SARIF log of a drift."""
    return json.loads(sarif(drift, environment="production", top=TOP, manifests="/work/checkout/manifests"))


def one(**more):
    """Return a drift of one resource."""
    return Drift((Drifted(Address("acme", "Agent", "a"), What.CHANGED, **more),), {}, 1, 0)


@given(DRIFT)
def test_a_log_has_what_sarif_and_code_scanning_ask_for(drift):
    """By the schema of 2.1.0: these members, and no others of these objects; and a place for every result."""
    log = logged(drift)
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert set(run) == {"tool", "automationDetails", "results"}
    assert run["automationDetails"]["id"].endswith("/")
    driver = run["tool"]["driver"]
    assert set(driver) == {"name", "version", "rules"}
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(set(rules)) == len(rules) == len(What)
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    assert len(run["results"]) == len(drift.drifted)
    for result in run["results"]:
        assert set(result) == {"ruleId", "level", "message", "partialFingerprints", "locations"}
        assert result["ruleId"] in rules
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        assert all(isinstance(print_, str) for print_ in result["partialFingerprints"].values())
        (place,) = result["locations"]
        place = place["physicalLocation"]
        assert set(place) == {"artifactLocation", "region"}
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", place["artifactLocation"]["uri"])  # a reference of RFC 3986
        assert place["region"]["startLine"] >= 1


@pytest.mark.parametrize(
    ("where", "path", "line"),
    [
        ("/work/checkout/manifests/a b.yaml:7", "manifests/a b.yaml", 7),
        ("/work/checkout/manifests/ä#1.yaml:0", "manifests/ä#1.yaml", 1),
        ("", "manifests", 1),
        ("a schedule", "manifests", 1),
    ],
)
def test_a_place_is_a_file_from_the_top_of_the_checkout(where, path, line):
    """Spelled as an address; what is declared nowhere is where the manifests are."""
    (result,) = logged(one(where=where))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == path
    assert place["region"]["startLine"] == line


@given(DRIFT)
def test_a_report_counts_what_is_in_it(drift):
    """As readers of JUnit XML want it: suites, a suite with its counts, cases with a name and a class."""
    root = ET.fromstring(junit(drift, environment="production"))
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.tag == "testsuite"
    assert suite.attrib["name"]
    assert {child.tag for child in suite} == {"testcase"}
    assert all(set(case.attrib) == {"classname", "name"} and case.attrib["name"] for case in suite)
    failures = [case for case in suite if case.find("failure") is not None]
    told = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert told == {"tests": len(suite), "failures": len(failures), "errors": 0, "skipped": 0}
    assert len(failures) == len(drift.drifted) == len(suite) - 1
