"""The committed law firm is what the generator makes, and its truth is the one beside it."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from sample_tenants.generator import PRESETS, generate, truth, write
from sample_tenants.generator.truth import to_json

ROOT = Path(__file__).parents[2] / "sample_tenants"
FILES = ("mailboxes.csv", "licences.csv", "email_activity.csv", "audit.csv.gz")


def sha(path):
    """Hash a file; of a gzip file what is in it, for zlib builds differ in how they pack."""
    content = path.read_bytes()
    return hashlib.sha256(gzip.decompress(content) if path.suffix == ".gz" else content).hexdigest()


@pytest.fixture(scope="module")
def tenant():
    return generate(PRESETS["law_firm"])


def test_committed_files_are_what_the_generator_makes(tenant, tmp_path):
    write(tenant, tmp_path)

    assert {name: sha(tmp_path / name) for name in FILES} == {name: sha(ROOT / "law_firm" / name) for name in FILES}


def test_committed_truth_is_what_the_generator_says(tenant):
    assert (ROOT / "law_firm.truth.json").read_text(encoding="utf-8") == to_json(truth(tenant))


def test_truth_covers_2027():
    document = json.loads((ROOT / "law_firm.truth.json").read_text(encoding="utf-8"))
    months = sorted({row["month"] for row in document["months"]})

    assert months == [f"2027-{month:02d}" for month in range(1, 13)]


def test_folder_is_small():
    assert sum(path.stat().st_size for path in (ROOT / "law_firm").iterdir()) < 900_000
