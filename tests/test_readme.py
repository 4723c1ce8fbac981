"""What the README and CONTRIBUTING say can be typed can be typed, and what they link to is there."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from estimator.audit import shapes
from estimator.cli import app, main
from estimator.scenario import load_scenario
from tests.conftest import Tenant, audit_jsonl, write

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLANS = ("plans list", "plans show", "plans price", "plans check", "plans refresh")
ON_A_TENANT = ("check", "estimate", "measure", "readiness", "forecast", "sample-size", "backtest")
VERBS = (*ON_A_TENANT, "reconcile", *PLANS)
_PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("estimator/*/*.md")])
]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands() -> Iterator[list[str]]:
    """Every call of the tool in a sh block of the README, as its arguments."""
    for block in blocks(README, "sh"):
        for line in re.split(r"\n|&&|\|", block):
            words = shlex.split(line, comments=True)
            if words and words[0].endswith("siem-estimator"):
                yield words[1:]


def verb_of(words: list[str]) -> tuple[str, list[str]]:
    """The verb of a call, one word or two, and its arguments."""
    length = 2 if words[0] == "plans" else 1
    return " ".join(words[:length]), words[length:]


def help_of(verb: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        assert main([*verb.split(), "--help"]) == 0
    return shown.getvalue()


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """The options of each verb."""
    return {verb: set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", help_of(verb))) - {"--help"} for verb in VERBS}


def test_every_command_has_a_verb_and_options_that_there_are(options: dict[str, set[str]]) -> None:
    found = [verb_of(words) for words in commands()]
    # `forecast` takes what `estimate` takes, and is told in a sentence.
    assert {verb for verb, _ in found} == set(VERBS) - {"forecast"}
    for verb, rest in found:
        assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= options[verb]


def test_the_readme_has_every_option_and_none_besides(options: dict[str, set[str]]) -> None:
    told = set(re.findall(r"`(--[a-z][a-z-]+)", README))
    there = set().union(*options.values())
    assert told == there
    forecast = README.partition("### Forecast")[2].partition("### A scenario")[0]
    assert set(re.findall(r"`(--[a-z][a-z-]+)", forecast)) == options["estimate"]
    measure = README.partition("| option of `measure`")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(--[a-z][a-z-]+)", measure)) == options["measure"]
    readiness = README.partition("| option of `readiness`")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(--[a-z][a-z-]+)", readiness)) == options["readiness"]


def test_the_commands_run(tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that has what they name; the sample tenant's has its own tests."""
    tenant(folder="TENANT")
    write(tmp_path / "exports" / "audit.jsonl", audit_jsonl())
    monkeypatch.chdir(tmp_path)
    ran = set()
    for words in commands():
        if "TENANT" in words or "exports/" in words:
            words = [word.replace("audit.csv=", "audit.jsonl=") for word in words]
            assert main(words) == 0, words
            ran.add(words[0])
    assert ran == {*ON_A_TENANT} - {"forecast"}
    assert {"pilots.csv", "counts.csv", "added-cost.png", "mend.ps1", "mend.rollback.ps1", "weekly.ps1"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_the_commands_that_need_no_tenant_run(
    tenant: Tenant, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`refresh` has its own tests, against a price list that answers; `mine.toml` is a shipped plan here."""
    monkeypatch.chdir(tmp_path)
    assert main(["estimate", str(tenant(folder="TENANT")), "--as-of", "2026-11-23", "--format", "json"]) == 0
    write(tmp_path / "forecast.json", capsys.readouterr().out)
    write(tmp_path / "billed.csv", "day,stream,gb\n2027-01-01,OfficeActivity,0.01\n2027-01-02,OfficeActivity,0.01\n")
    write(tmp_path / "mine.toml", (ROOT / "pricing" / "plans" / "sentinel-uksouth.toml").read_text(encoding="utf-8"))
    ran = set()
    for words in commands():
        verb, _ = verb_of(words)
        if verb == "reconcile" or (verb in PLANS and verb != "plans refresh"):
            assert main(words) == 0, words
            ran.add(verb)
    assert ran == {"reconcile", *PLANS} - {"plans refresh"}


def test_the_exit_codes_are_those_of_the_help() -> None:
    (line,) = re.findall(r"^Exit codes.*\n.*$", README, re.MULTILINE)
    assert app.info.epilog is not None
    for text in (line, str(app.info.epilog)):
        assert re.findall(r"(?<![\d.])\d+(?= [a-z])", text) == ["0", "1", "2", "3", "4", "70"]


def test_the_python_lines_run(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks(README, "python")
    monkeypatch.chdir(ROOT)
    exec(compile(code, "README.md", "exec"), {})


def test_the_scenario_loads(tmp_path: Path) -> None:
    (story,) = blocks(README, "toml")
    assert load_scenario(write(tmp_path / "s.toml", story)).id == "e3-users-first"


def test_the_walk_to_a_new_shape_leads_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two files that CONTRIBUTING shows, word for word, are all that it takes."""
    walk = CONTRIBUTING.partition("## Add an export shape")[2].partition("\n## ")[0]
    test, recogniser = map(textwrap.dedent, re.findall(r"^   ```python\n(.*?)^   ```$", walk, re.MULTILINE | re.DOTALL))
    write(tmp_path / "shapes" / "acme.py", recogniser)
    monkeypatch.setattr(shapes, "__path__", [*shapes.__path__, str(tmp_path / "shapes")])
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "audit"))
    shapes.all_shapes.cache_clear()
    try:
        scope: dict[str, Any] = {}
        exec(compile(test, "CONTRIBUTING.md", "exec"), scope)
        scope["test_what_it_comes_to_by_hand"](tmp_path)
    finally:
        shapes.all_shapes.cache_clear()
        sys.modules.pop("estimator.audit.shapes.acme", None)


@pytest.mark.parametrize("page", _PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, place = unquote(target).partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        if place:
            heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, target
