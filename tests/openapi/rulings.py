"""What schemathesis must think wrong of a server that is right: rules that no schema can say, one by one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ruling:
    """One verdict overruled: which check, on which operations, when answered with what, and the fact that says so."""

    fact: str
    reason: str
    failure: str
    ids: str
    status: int
    detail: str = ""
    when: Callable[[Any], bool] = lambda _case: True

    def excuses(self, failure: str, ident: str, case: Any, response: Any) -> bool:
        """Tell whether the verdict is overruled."""
        return (
            failure == self.failure
            and (not self.ids or ident in self.ids.split())
            and response.status_code == self.status
            and re.fullmatch(self.detail or ".*", said(response), re.DOTALL) is not None
            and self.when(case)
        )


def said(response: Any) -> str:
    """Give the detail of a problem, or the text of a plain refusal."""
    content_type = response.headers.get("content-type", [""])[0]
    return str(response.json().get("detail", "")) if "problem" in content_type else response.content.decode()


RULINGS: tuple[Ruling, ...] = ()
