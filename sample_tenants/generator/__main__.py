"""Make one of the ready tenants again: `python -m sample_tenants.generator law_firm --out sample_tenants/law_firm`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from . import PRESETS, TenantSpec, generate, planted, planted_csv, truth, write
from .truth import to_json


def main() -> None:
    """Write a ready tenant's exports into a folder; its truth, and of the newer ones what was planted, beside it."""
    parser = argparse.ArgumentParser(prog="python -m sample_tenants.generator", description=__doc__)
    parser.add_argument("name", choices=sorted(PRESETS), help="which tenant")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; FOLDER.truth.json is put beside it")
    parser.add_argument("--seed", type=int, help="another tenant of the same kind")
    options = parser.parse_args()
    spec = PRESETS[options.name]
    if options.seed is not None:
        spec = dataclasses.replace(spec, seed=options.seed)
    make(spec, options.out)


def make(spec: TenantSpec, out: Path) -> None:
    """Write a tenant's exports into a folder, its truth beside it, and what was planted where anything was."""
    tenant = generate(spec)
    write(tenant, out)
    document = truth(tenant)
    if spec.plants:
        document["planted"] = {**planted(tenant), "lists": f"{out.name}.planted.csv"}
        out.with_name(f"{out.name}.planted.csv").write_bytes(planted_csv(tenant))
    out.with_name(f"{out.name}.truth.json").write_text(to_json(document), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
