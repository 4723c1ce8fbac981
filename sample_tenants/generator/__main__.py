"""Make one of the ready tenants again: `python -m sample_tenants.generator law_firm --out sample_tenants/law_firm`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from . import PRESETS, generate, truth, write
from .truth import to_json


def main() -> None:
    """Write a ready tenant's exports into a folder, and its truth beside it."""
    parser = argparse.ArgumentParser(prog="python -m sample_tenants.generator", description=__doc__)
    parser.add_argument("name", choices=sorted(PRESETS), help="which tenant")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; the truth goes to FOLDER.truth.json")
    parser.add_argument("--seed", type=int, help="another tenant of the same kind")
    options = parser.parse_args()
    spec = PRESETS[options.name]
    if options.seed is not None:
        spec = dataclasses.replace(spec, seed=options.seed)
    tenant = generate(spec)
    write(tenant, options.out)
    answer = options.out.with_name(f"{options.out.name}.truth.json")
    answer.write_text(to_json(truth(tenant)), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
