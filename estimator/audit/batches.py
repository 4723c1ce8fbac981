"""Many small files of one shape at once: content blobs of the Management Activity API come by the ten thousand."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from estimator.audit.framing import framing_of, over_many
from estimator.audit.opening import is_whole
from estimator.audit.shape import Shape

if TYPE_CHECKING:
    from estimator.audit.engine import Engine

#: Larger files are worth a statement each.
SMALL_BYTES = 1 << 20
_FILES, _BYTES = 500, 64 << 20


@dataclass
class _Batch:
    shape: Shape
    relation: str
    files: dict[int, Path] = field(default_factory=dict)
    size: int = 0


class Batches:
    """Files waiting to be read together.

    Args:
        engine: where their records go.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[Hashable, _Batch] = {}
        self._failed: list[int] = []

    def take(self, number: int, path: Path, shape: Shape) -> bool:
        """Take a file, if it is one for a batch."""
        relation = framing_of(shape).relation(shape) if shape.framing in ("jsonl", "array") else None
        if relation is None or shape.recogniser.counts or path.stat().st_size > SMALL_BYTES:
            return False
        if shape.compression and not is_whole(path, shape.compression, Event()):
            return False
        # Files of one key are read by one statement; what else the shape notes is told of each by itself.
        key = (shape.kind, relation, shape.encoding, shape.wrapper, shape.record, shape.billed, shape.size_basis)
        batch = self._waiting.setdefault(key, _Batch(shape, relation))
        batch.files[number] = path
        batch.size += path.stat().st_size
        if len(batch.files) >= _FILES or batch.size >= _BYTES:
            self._read(self._waiting.pop(key))
        return True

    def finish(self) -> Iterator[int]:
        """Read what still waits; the numbers of all files that could not be read together, to be read one by one."""
        while self._waiting:
            self._read(self._waiting.popitem()[1])
        yield from sorted(self._failed)

    def _read(self, batch: _Batch) -> None:
        from estimator.audit.engine import UnreadableError

        try:
            self._engine.load_many(batch.files, batch.shape, over_many(batch.relation))
        except UnreadableError:
            # Halves, until the damaged ones are alone: one of ten thousand must not slow the others.
            numbers = list(batch.files)
            if len(numbers) == 1:
                self._failed += numbers
                return
            middle = len(numbers) // 2
            for part in (numbers[:middle], numbers[middle:]):
                self._read(_Batch(batch.shape, batch.relation, {number: batch.files[number] for number in part}))
