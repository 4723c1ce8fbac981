"""A tenant of 100,000 mailboxes is read and judged in the time and the memory that were promised."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import (
    NEW_SET,
    active,
    activity_csv,
    licence,
    licences_csv,
    mailbox,
    mailboxes_csv,
    write,
)

MAILBOXES = 100_000
#: Promised are 5 seconds, and 3.7 were measured; machines that run tests may be slower than the one measured on.
SECONDS = 7.5
MEGABYTES = 1_000

#: A process of its own, whose memory is that of the readiness alone: its peak, and the better of two times. In CPU
#: seconds, so that what else runs on the machine does not count; it is one thread, and alone they are wall time.
JUDGE = """
import datetime, json, pathlib, sys, time
from estimator.readiness.tenant import readiness_of

times = []
for _ in range(2):
    start = time.process_time()
    found = readiness_of(sys.argv[1], as_of=datetime.date(2026, 11, 24))
    times.append(time.process_time() - start)
# Not ru_maxrss: Linux counts into it what the parent held when it started this process.
status = pathlib.Path("/proc/self/status").read_text()
peak = 1024 * int(status.split("VmHWM:")[1].split()[0])
boxes = found.tenant.inventory.mailboxes
print(json.dumps({"seconds": min(times), "bytes": peak, "mailboxes": len(boxes),
                  "activity": len(found.tenant.inventory.activity), "tiers": sorted(set(boxes["audit_tier"]))}))
"""


@pytest.mark.slow
def test_a_hundred_thousand_mailboxes(tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of memory is read from /proc")
    dice = random.Random(1)
    variants: tuple[dict[str, str], ...] = (
        {},
        {"AuditAdmin": NEW_SET, "AuditDelegate": NEW_SET, "AuditOwner": NEW_SET},
        {"DefaultAuditSet": "Admin,Delegate", "AuditOwner": "Update,HardDelete"},
        {"RecipientTypeDetails": "SharedMailbox"},
        {"AuditEnabled": "False"},
    )
    names = [f"user{number:06d}" for number in range(MAILBOXES)]
    chosen = dice.choices(variants, (60, 20, 5, 10, 5), k=MAILBOXES)
    write(tmp_path / "t" / "m.csv", mailboxes_csv(*(mailbox(n, **v) for n, v in zip(names, chosen, strict=True))))
    skus = dice.choices(("SPE_E3", "SPE_E5", "SPE_F1"), k=MAILBOXES)
    write(tmp_path / "t" / "l.csv", licences_csv(*(licence(n, sku) for n, sku in zip(names, skus, strict=True))))
    sends = [{"Send Count": str(dice.randrange(300))} for _ in names]
    write(tmp_path / "t" / "a.csv", activity_csv(*(active(n, **s) for n, s in zip(names, sends, strict=True))))
    ran = subprocess.run(
        [sys.executable, "-c", JUDGE, str(tmp_path / "t")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found = json.loads(ran.stdout)
    assert (found["mailboxes"], found["activity"], found["tiers"]) == (MAILBOXES, MAILBOXES, ["premium", "standard"])
    assert found["seconds"] < SECONDS
    assert found["bytes"] < MEGABYTES * 10**6
