"""The environment of a git that works on a repository of ours, also where a hook of another one called us."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

_OF_ANOTHER: Final = frozenset(
    "GIT_DIR GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_OBJECT_DIRECTORY GIT_QUARANTINE_PATH"
    " GIT_NAMESPACE GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_SHALLOW_FILE GIT_GRAFT_FILE"
    " GIT_REPLACE_REF_BASE".split()
)
"""What says where a repository is (git rev-parse --local-env-vars), less the configuration, which is the user's."""


def of_its_own(**more: str) -> Mapping[str, str]:
    """Return our environment less what is about another repository; answers of git are in English."""
    return {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER} | {
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",  # answers are told apart by their words
        **more,
    }
