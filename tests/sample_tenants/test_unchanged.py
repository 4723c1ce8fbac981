"""Tenants that plant nothing come out as they did before anything could be planted, byte for byte.

The benchmarks' figures rest on them. The law firm is compared with its committed files in test_law_firm.py.
"""

import gzip
import hashlib

import pytest

from sample_tenants.generator import Application, TenantSpec, generate, truth, write
from sample_tenants.generator.truth import to_json

PROGRAMS = (Application(share=0.4, records_per_day=12.0), Application(name="x", records_per_day=100.0, items=1))


@pytest.mark.parametrize(
    ("spec", "counts_only", "digest"),
    [
        pytest.param(
            TenantSpec(seed=5, mailboxes=60, rooms=1, pilots=0.2, customised=0.3, applications=PROGRAMS),
            False,
            "3b60f9511b3cfa1a793bde981fa591cd42e9141fad2d1c60590ef66d792c425b",
            id="with applications",
        ),
        pytest.param(
            TenantSpec(
                seed=4,
                mailboxes=150,
                licences={"SPE_E5": 0.15, "SPE_F1": 0.3, "SPE_E3": 0.55},
                shared=0.1,
                pilots=0.05,
                bias="strong",
                sample_days=7,
                mail=1.2,
            ),
            True,
            "b18bd1f277a66c62c62289541c2e91bf198595cdf2e295397f31cf784a17cabe",
            id="as the accuracy benchmark makes them",
        ),
    ],
)
def test_files_and_truth_are_those_of_before(spec, counts_only, digest, tmp_path):
    tenant = generate(spec)
    write(tenant, tmp_path, counts_only=counts_only)
    found = hashlib.sha256()
    for name in ("mailboxes.csv", "licences.csv", "email_activity.csv", "audit.csv.gz"):
        content = (tmp_path / name).read_bytes()
        found.update(gzip.decompress(content) if name.endswith(".gz") else content)
    found.update(to_json(truth(tenant, counts_only=counts_only)).encode())

    assert found.hexdigest() == digest
