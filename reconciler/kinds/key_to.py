"""Where a key goes that the platform shows once: a file or a command (everruns-api/orgs-apps-errors.md, 3.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import normpath
from typing import Annotated, Any, assert_never

from pydantic import AfterValidator, Discriminator, Tag, ValidationInfo
from pydantic_core import PydanticCustomError

from reconciler.kinds.fields import VARIABLE, Spec, located, optional, required
from reconciler.kinds.secrecy import is_marked_secret


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The line `variable=key` of a file, of which every other line stays."""

    path: str
    variable: str


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments; it gets the key on standard input."""

    argv: tuple[str, ...]


KeyTo = EnvFile | Command
"""Where a key goes."""


def _beside(path: str, info: ValidationInfo) -> str:
    """Refuse git's own folder, and give the path as it is reached from here."""
    if ".git" in path.casefold().split("/"):  # not every disk tells .GIT from it
        raise PydanticCustomError("key_file", "a key does not go into git's own folder")
    return located(path, info)


def _argument(word: str) -> str:
    """Refuse what a reader of the plan could not see, and what looks like a secret."""
    if not word or not word.isprintable():
        raise PydanticCustomError("key_command", "an argument is one line of plain text: put more into a script")
    if is_marked_secret(word):
        raise PydanticCustomError(
            "key_command", "an argument looks like a secret, and would stand in every plan: let the command read it"
        )
    return word


class KeyToFile(Spec):
    """A file that keeps keys, one in a line."""

    env_file: Annotated[str, AfterValidator(_beside)] = required(
        "A file inside the manifest root that gets a line NAME=key; only its owner can read it. Keep it out of git.",
        example="../secrets/channels.env",
        min_length=1,
    )
    variable: str = optional(
        "The name in the file; without it the app's and the channel's name, as SUPPORT_BOT_PARTNERS_KEY.",
        example="PARTNERS_KEY",
        pattern=VARIABLE,
    )


class KeyToCommand(Spec):
    """A command that keeps keys."""

    command: list[Annotated[str, AfterValidator(_argument)]] = required(
        "A program with its arguments that gets the key on standard input; no shell is involved.",
        example=["gh", "secret", "set", "PARTNERS_KEY"],
        min_length=1,
    )


def _form(value: Any) -> str:
    said = value if isinstance(value, dict) else getattr(value, "model_fields_set", ())
    return "to_command" if "command" in said and "env_file" not in said else "to_file"


AnyKeyTo = Annotated[
    Annotated[KeyToFile, Tag("to_file")] | Annotated[KeyToCommand, Tag("to_command")], Discriminator(_form)
]


def destination(said: Mapping[str, Any], *, variable: str) -> KeyTo:
    """Return what a valid `key_to` means; `variable` is the name where it says none."""
    if "command" in said:
        return Command(tuple(said["command"]))
    return EnvFile(said["env_file"], said.get("variable") or variable)


def spelled(key_to: KeyTo) -> dict[str, Any]:
    """Spell a destination as a manifest would, complete."""
    match key_to:
        case EnvFile(path, variable):
            return {"env_file": path, "variable": variable}
        case Command(argv):
            return {"command": list(argv)}
        case _:
            assert_never(key_to)


def told(key_to: KeyTo) -> str:
    """Say where a key goes."""
    match key_to:
        case EnvFile(path, variable):
            return f"{normpath(path)} as {variable}"
        case Command(argv):
            return f"the standard input of {' '.join(argv)}"
        case _:
            assert_never(key_to)


def variable_of(*names: str) -> str:
    """Return the variable that a key is called by, from names that are slugs.

    >>> variable_of("support-bot", "partners"), variable_of("24h", "in")
    ('SUPPORT_BOT_PARTNERS_KEY', '_24H_IN_KEY')
    """
    text = re.sub("[^A-Z0-9]", "_", "_".join([*names, "key"]).upper())
    return f"_{text}" if text[0].isdigit() else text
