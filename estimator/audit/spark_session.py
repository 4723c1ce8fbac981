"""The Spark session: the one that is active or one of our own, what it has to give, and what it says when it fails."""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.errors import AuditExportError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: A task's DuckDB is given no less than that, however many run at a time.
_LEAST_MB = 128

INSTALL = "pip install 'siem-estimator[spark]'"


def require() -> None:
    """Make sure that Spark is here.

    Raises:
        UsageError: Spark is not installed here.
    """
    from importlib.util import find_spec

    for package in ("pyspark", "pyarrow"):
        if find_spec(package) is None:
            raise UsageError(
                f"Spark is not installed here ({package} is missing)", mend=f"{INSTALL}, and Java 17 or newer."
            )


@contextmanager
def session(master: str | None, memory: str, threads: int | None, spill: Path) -> Iterator[SparkSession]:
    """The session that is active, or one of our own, which is closed again."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    found = SparkSession.getActiveSession()
    if found is None and (SparkContext._active_spark_context or "PYSPARK_GATEWAY_PORT" in os.environ):
        found = SparkSession.builder.getOrCreate()
    if found is not None:
        yield found
        return
    own = start(master or f"local[{threads or '*'}]", memory, spill)
    try:
        yield own
    finally:
        own.stop()


def start(master: str, memory: str, spill: Path) -> SparkSession:
    """A session of our own, quiet, with all it writes in `spill`.

    Raises:
        UsageError: Java is missing, or Spark does not start.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    home = os.environ.get("JAVA_HOME")
    if not (Path(home) / "bin" / "java").exists() if home else shutil.which("java") is None:
        raise UsageError(
            "Spark needs Java, and there is none" + (f" under JAVA_HOME ({home})" if home else ""),
            mend="Install Java 17 or newer (apt install openjdk-17-jre-headless), or leave --engine spark out.",
        )
    settings = {
        "spark.master": master,
        "spark.app.name": "siem-estimator",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    local = master.startswith("local")
    if local:
        cores = os.cpu_count() or 1
        settings |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": f"{max(1024, _megabytes(memory))}m",
            "spark.local.dir": str(spill),
            "spark.sql.warehouse.dir": str(spill / "warehouse"),  # else Spark makes a folder where it is called
            "spark.sql.shuffle.partitions": str(2 * cores),
        }
    conf = SparkConf()
    for name, value in settings.items():
        conf.set(name, value)
    before = os.environ.get("PYSPARK_PYTHON")
    if local:
        os.environ["PYSPARK_PYTHON"] = sys.executable
    log = spill / "spark.log"
    try:
        with log.open("wb") as said:  # what Java and Spark print is neither result nor message
            if SparkContext._gateway is None:
                gateway = launch_gateway(conf, {"stdout": said, "stderr": said})
                SparkContext._ensure_initialized(gateway=gateway)
            spark = SparkSession.builder.config(conf=conf).getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
    except errors() as error:
        lines = [line for line in log.read_text(errors="replace").splitlines() if re.search("Error|Exception", line)]
        raise UsageError(
            f"Spark does not start with master {master!r}: {lines[0].strip() if lines else first_line(error)}",
            expected="Java 17 or newer; as --master local[*], spark://HOST:PORT, yarn or k8s://URL",
        ) from error
    finally:
        if local and before is None:
            del os.environ["PYSPARK_PYTHON"]
        elif local and before is not None:
            os.environ["PYSPARK_PYTHON"] = before
    return spark


def is_local(spark: SparkSession) -> bool:
    """Whether its executors are threads on this machine."""
    return str(spark.conf.get("spark.master", "")).startswith("local")


def cores_of(spark: SparkSession) -> int:
    """Tasks at a time on one machine."""
    if is_local(spark):
        return int(spark.sparkContext.defaultParallelism)
    return int(spark.conf.get("spark.executor.cores", "1") or "1")


def _megabytes(memory: str) -> int:
    """A size such as `1GB`, as DuckDB has accepted it; 0 for one that is told otherwise, such as a percentage."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:iB|B)?\s*", memory, re.IGNORECASE)
    if match is None:
        return 0
    return int(float(match[1]) * {"": 1e-6, "K": 1e-3, "M": 1, "G": 1e3, "T": 1e6}[match[2].upper()])


def share(memory: str, cores: int) -> str:
    """What each of the tasks that run at a time on a machine may take."""
    return f"{max(_LEAST_MB, math.floor(_megabytes(memory) / cores))}MB"


def own_version() -> str:
    """The version of this package; empty where it was sent along unpacked."""
    try:
        return version("siem-estimator")
    except PackageNotFoundError:  # sent along as a zip
        return ""


def errors() -> tuple[type[Exception], ...]:
    """What Spark raises."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError


@contextmanager
def speaking_plainly() -> Iterator[None]:
    """What Spark says in a hundred lines, in one.

    Raises:
        UsageError: the executors lack a package.
        AuditExportError: anything else.
    """
    try:
        yield
    except errors() as error:
        text = str(error)
        if missing := re.search(r"No module named '([\w.]+)'", text):
            raise UsageError(
                f"Spark's executors lack the Python package {missing[1]!r}",
                mend=f"{INSTALL} on every machine of the cluster, for the Python that PYSPARK_PYTHON names there.",
            ) from error
        told = re.findall(r"^\s*(?:[\w.]+\.)?\w+(?:Error|Exception): .+", text, re.MULTILINE)
        raise AuditExportError(f"Spark failed: {told[-1].strip() if told else first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What an error says, without its trace."""
    return str(error).strip().partition("\n")[0]
