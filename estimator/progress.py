"""How far the reading is: a bar by bytes on a terminal, and nothing at all anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath

#: Told the file (None at the end), the bytes read and the bytes to read, over all files; from any thread.
Bytes = Callable[[str | None, int, int], None]

_NAME_WIDTH = 40


@contextmanager
def bar() -> Iterator[Bytes | None]:
    """What moves a bar on stderr; None where stderr is no terminal, so that a log or a pipe holds no bar."""
    if not sys.stderr.isatty():
        yield None
        return
    # Only here: a quarter of the time that `measure` takes to start.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from estimator.report.layout import plain

    columns = (
        TextColumn("{task.description}", markup=False),  # a file may be called [red]
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("", total=None)

        def move(shown: str | None, done: int, total: int) -> None:
            name = None if shown is None else plain(PurePath(shown).name)[-_NAME_WIDTH:]  # None: as it is
            progress.update(task, description=name, completed=done, total=total or None)

        yield move
