"""A drift for other tools: SARIF 2.1.0 for code scanning, JUnit XML for test reports; no value is in either."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler import __version__
from reconciler.plan.drift import Drift, Drifted, What
from reconciler.report.drift_text import said_of
from reconciler.report.style import clean

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES = {
    What.CHANGED: "Changed on the platform since it was last written",
    What.GONE: "Gone from the platform",
    What.ARCHIVED: "Archived on the platform",
    What.UNSYNCED: "Its content is not that of its source",
    What.UNSETTLED: "A run that did not end may have written it, so that drift cannot be told",
    What.UNMANAGED: "Exists on the platform, and nobody declares it",
}
_LEVELS = {What.UNMANAGED: "note", What.UNSYNCED: "warning", What.UNSETTLED: "warning", What.CHANGED: "warning"}
_NOT_XML = {
    code: None for code in [*range(0x20), 0x7F, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF] if code not in (0x9, 0xA, 0xD)
}


def sarif(drift: Drift, *, environment: str, top: Path, manifests: str) -> str:
    """Return a SARIF log; files are told from the `top` of the checkout, as code scanning wants them.

    It refuses a whole log for one result without a place: what has none is placed where the manifests are.
    """
    rules = [{"id": f"drift/{what.value}", "shortDescription": {"text": text}} for what, text in _RULES.items()]
    run = {
        "tool": {"driver": {"name": "reconciler", "version": __version__, "rules": rules}},
        "automationDetails": {"id": f"reconciler/drift/{environment}/"},
        "results": [_result(one, environment, top, manifests) for one in drift.drifted],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(one: Drifted, environment: str, top: Path, manifests: str) -> dict[str, Any]:
    return {
        "ruleId": f"drift/{one.what.value}",
        "level": _LEVELS.get(one.what, "error"),
        "message": {"text": _told(one)},
        "partialFingerprints": {"reconcilerDrift/v1": f"{environment}/{one.address}/{one.what.value}"},
        "locations": [{"physicalLocation": _place(one, top, manifests)}],
    }


def _place(one: Drifted, top: Path, manifests: str) -> dict[str, Any]:
    file, _, line = one.where.rpartition(":")
    if not (file and line.isdecimal()):
        file, line = manifests, "1"
    path = Path(os.path.relpath(file, top)).as_posix()
    artifact = {"uri": quote(path, errors="replace"), "uriBaseId": "%SRCROOT%"}
    return {"artifactLocation": artifact, "region": {"startLine": max(int(line), 1)}}


def _told(one: Drifted) -> str:
    names = ", ".join(field.name for field in one.fields)
    return clean(f"{one.address}: {said_of(one)}{f': {names}' if names else ''}")


def junit(drift: Drift, *, environment: str) -> str:
    """Return JUnit XML: a failed case for each resource that drifted, and one that sums up what has not."""
    suite = ET.Element("testsuite", name=_xml(f"reconciler drift {environment}"))
    for one in drift.drifted:
        case = _case(suite, one.address.kind, str(one.address))
        ET.SubElement(case, "failure", type=f"drift/{one.what.value}", message=_xml(_told(one)))
    still = drift.watched - sum(_was_watched(drift.drifted))
    _case(suite, "reconciler", f"{still} resources as last written")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(drift.drifted)))
    suite.set("errors", "0")
    suite.set("skipped", "0")
    suites = ET.Element("testsuites")
    suites.append(suite)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _was_watched(drifted: Iterable[Drifted]) -> Sequence[bool]:
    unwatched = {one.address for one in drifted if one.what in (What.UNSETTLED, What.UNMANAGED)}
    return [address not in unwatched for address in {one.address for one in drifted}]


def _case(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_xml(classname), name=_xml(name))


def _xml(text: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return text.translate(_NOT_XML)
