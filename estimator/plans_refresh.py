"""A plan refreshed from the public price API, and how it differs from the one there was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from estimator.errors import OutputError
from estimator.files import write_whole
from estimator.plans import Offered, offered
from pricing import load_plan, parse_plan
from pricing.refresh import Reading, RefreshError, next_page, plan_id, plan_text, queries, read_pages
from pricing.refresh_http import fetch


@dataclass(frozen=True)
class Change:
    """One figure before and after; None where the plan has none.

    Attributes:
        place: "analytics", "commitment.100".
        unit: what it is the price of.
        was: the amount of the plan there was, in force on the day of reading.
        now: the amount that was read.
    """

    place: str
    unit: str
    was: Decimal | None
    now: Decimal | None

    @property
    def status(self) -> str:
        """`same`, `changed`, `new` or `gone`."""
        if self.was is None or self.now is None:
            return "new" if self.was is None else "gone"
        return "same" if self.was == self.now else "changed"

    @property
    def percent(self) -> Decimal | None:
        """By how much it changed, in percent of what it was."""
        if self.was and self.now is not None:
            return (self.now - self.was) / self.was * 100
        return None


@dataclass(frozen=True)
class Refreshed:
    """A plan with prices just read.

    Attributes:
        reading: what the API said.
        text: of the new plan file.
        new: the plan in it.
        old: the plan it is compared with; None where there is none of the region.
        changes: every figure of either, in the order of the new plan.
    """

    reading: Reading
    text: str
    new: Offered
    old: Offered | None
    changes: tuple[Change, ...]

    def write(self, path: Path, replace: bool) -> None:
        """Write the plan file, whole or not at all.

        Raises:
            OutputError: it exists and is not to be replaced, or it cannot be written.
        """
        check_target(path, replace)
        write_whole(path, self.text.encode())


def target(region: str, as_of: dt.date) -> Path:
    """The file a refreshed plan goes to where none is named: dated, in the folder one stands in."""
    return Path(f"{plan_id(region)}-{as_of}.toml")


def check_target(path: Path, replace: bool) -> None:
    """Refuse, before anything is read, a file that stands already and was not named.

    Raises:
        OutputError: it exists, and `replace` is false.
    """
    if not replace and path.exists():
        raise OutputError("stands already", path=path, mend=f"Replace it with --out {path}, or name another file.")


def refresh(
    region: str,
    as_of: dt.date,
    *,
    responses: Sequence[Path] = (),
    existing: Path | None = None,
    plans_dirs: Iterable[Path] = (),
    pages: Iterable[tuple[str, str]] | None = None,
) -> Refreshed:
    """Read the Sentinel prices of a region and compare them with those there were.

    Args:
        region: as Azure writes it, "westeurope".
        as_of: the day of reading.
        responses: saved pages of the API, all of them; none: the API is read over the network.
        existing: the file that will be replaced, which is what to compare with where it exists.
        plans_dirs: folders of plan files, looked through before the shipped ones.
        pages: (address, text) of pages read already, in place of both.

    Raises:
        RefreshError: the API or a saved page cannot be used.
        PlanError: the plan to compare with cannot be used.
    """
    asked = queries(region)
    if pages is None:
        pages = _saved(responses) if responses else fetch(asked)
    reading = read_pages(pages, region, as_of)
    text = plan_text(reading)
    new = Offered(parse_plan(text), str(existing or plan_id(region)), as_of)
    old = _before(region, as_of, existing, plans_dirs)
    return Refreshed(reading, text, new, old, _changes(old, new))


def _saved(paths: Sequence[Path]) -> list[tuple[str, str]]:
    pages = []
    for path in paths:
        try:
            pages.append((str(path), path.read_text(encoding="utf-8-sig")))
        except UnicodeDecodeError:
            raise RefreshError("not UTF-8 text", path=path, expected="a saved page of the API") from None
        except OSError as error:
            raise RefreshError(
                f"cannot be read ({error.strerror})", path=path, expected="a saved page of the API"
            ) from None
    if all(next_page(text, where) for where, text in pages):
        raise RefreshError(
            "the last page is not among the saved ones: every one of them names a next page",
            path=pages[-1][0], place="NextPageLink", expected="all pages of a response",
        )  # fmt: skip
    return pages


def _before(region: str, as_of: dt.date, existing: Path | None, plans_dirs: Iterable[Path]) -> Offered | None:
    if existing is not None and existing.exists():
        return Offered(load_plan(existing), str(existing), as_of)
    return next((one for one in offered(as_of, plans_dirs) if one.plan.id == plan_id(region)), None)


def _changes(old: Offered | None, new: Offered) -> tuple[Change, ...]:
    before, after = ({} if one is None else _figures(one) for one in (old, new))
    return tuple(
        Change(place, (after.get(place) or before[place])[0], before.get(place, ("", None))[1],
               after.get(place, ("", None))[1])
        for place in dict.fromkeys([*after, *before])
    )  # fmt: skip


def _figures(one: Offered) -> dict[str, tuple[str, Decimal | None]]:
    amounts = ((figure, figure.on(one.as_of)) for figure in one.priced)
    return {figure.place: (figure.unit, None if price is None else price.amount) for figure, price in amounts}
