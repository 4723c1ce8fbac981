"""What `Format-List` prints: `Name : value` a line, an empty line between objects, long values going on indented."""

from __future__ import annotations

from pathlib import Path

from estimator.audit.shape import Head
from estimator.errors import InventoryError
from estimator.inventory.grid import Grid, read_whole
from estimator.inventory.layout import property_of


def read_list(path: Path, head: Head, shown: str, mend: str) -> Grid:
    """Read a `Format-List` text; what stands in it besides (a prompt, a command) is no property and is passed over.

    Raises:
        InventoryError: unreadable.
    """
    try:
        lines = read_whole(path, head).splitlines()
    except (OSError, UnicodeError) as error:
        raise InventoryError(f"cannot be read as text: {error}", path=shown, mend=mend) from error
    objects: list[tuple[int, dict[str, str]]] = []
    current: dict[str, str] = {}
    name = ""
    for number, line in enumerate(lines, 1):
        found = property_of(line.lstrip("\ufeff"))
        if not line.strip() or (found is not None and found[0] in current):
            current, name = {}, ""
        if found is not None:
            if not current:
                objects.append((number, current))
            name = found[0]
            current[name] = found[1]
        elif name and line[:1].isspace() and line.strip():
            current[name] = f"{current[name]}{line.strip()}"
    names = list(dict.fromkeys(one for _, values in objects for one in values))
    columns = {one: [values.get(one, "") for _, values in objects] for one in names}
    return Grid(columns, [number for number, _ in objects], "line", None, len(objects), [])
