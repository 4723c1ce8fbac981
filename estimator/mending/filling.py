"""Templates and what stands in their slots, put together to a file that PowerShell reads as it is meant.

The text begins with a byte order mark: without one Windows PowerShell 5.1 reads a file in the code page of the machine,
and a mailbox called müller would be looked for under another name. PowerShell 7 and the ISE know the mark too. Lines
end with CR and LF, as signing and the editors of Windows wish, and PowerShell on other systems does not mind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

_MARK = "\ufeff"
_SLOT = re.compile(r"^[ ]*#\{\{(\w+)\}\}$")


def fill(template: str, slots: Mapping[str, Iterable[str]]) -> str:
    """A template of this package with lines in its slots (`#{{name}}` on a line of its own).

    Every slot of the template needs its lines, and what is filled in is not looked at for slots again.
    """
    lines: list[str] = []
    for line in _template(template):
        slot = _SLOT.match(line)
        lines.extend(slots[slot[1]] if slot else [line])
    return _MARK + "\r\n".join(lines) + "\r\n"


def part(name: str) -> list[str]:
    """A template without slots, to be filled into another's slot."""
    return list(_template(name))


@cache
def _template(name: str) -> tuple[str, ...]:
    text = files("estimator.mending").joinpath("templates", f"{name}.ps1").read_text(encoding="ascii")
    return tuple(text.splitlines())
