"""Keys that the platform shows once: what is kept beside the manifests is what the platform goes by."""

from pathlib import Path

from .rows import Rows

APP = "partners"
_VARIABLES = {"a2a": "PARTNERS_CARD_KEY", "api_endpoint": "PARTNERS_CALLS_KEY"}


def dead(found: Rows, path: Path) -> list[str]:
    """Name the keys in a file that open nothing, and those that are not in it."""
    lines = path.read_text().splitlines() if path.exists() else []
    kept = dict(line.partition("=")[::2] for line in lines)
    apps = {
        row.id for row in found.values() if row.collection == "apps" and row.body["name"] == APP and not row.is_gone
    }
    channels = [row.body for row in found.values() if row.collection == "channels" and row.parent in apps]
    return [
        f"a dead key: {variable} is {kept.get(variable)}"
        for channel in channels
        if (variable := _VARIABLES.get(channel["channel_type"]))
        and not kept.get(variable, "").startswith(channel["channel_config"]["api_key_prefix"].removesuffix("..."))
    ]
