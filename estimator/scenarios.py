"""Which scenarios a run takes: those given, else those that lie in the tenant folder; else the caller's default."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from estimator.errors import ScenarioError
from estimator.folder import TenantFolder
from estimator.scenario import Scenario, load_scenario


def scenarios_of(folder: TenantFolder, given: Sequence[Path | str]) -> list[tuple[str, Scenario]]:
    """The scenarios with the names that messages call them; none where there are none.

    Args:
        folder: the tenant; TOML files at its top are scenarios.
        given: scenario files that replace these.

    Raises:
        ScenarioError: a file cannot be used, or two have one id.
    """
    if given:
        stories = [(str(path), load_scenario(Path(path))) for path in given]
    else:
        beside = [file for file in folder.of_kind("scenario") if "/" not in file.shown]
        stories = [(file.shown, load_scenario(file.path, file.shown)) for file in beside]
    _refuse_twins(stories)
    return stories


def _refuse_twins(stories: Sequence[tuple[str, Scenario]]) -> None:
    """Two scenarios of one id could not be told apart in the output."""
    by_id: dict[str, str] = {}
    for shown, story in stories:
        if story.id in by_id:
            raise ScenarioError(
                f"the id {story.id!r} is also that of {by_id[story.id]}",
                path=shown,
                place="id",
                expected="an id of its own",
                mend="Rename one of the two.",
            )
        by_id[story.id] = shown
