"""The jars of Apache Kafka: fetched once with Maven, checked against the committed lock, kept in a cache."""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from services.runtime.broker.errors import BrokerUnavailable, KafkaUnavailable
from services.runtime.broker.state import locked

VERSION = "4.3.1"
DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "kafka"

# Maven's own patience with a silent network is half an hour.
_STALL_S = 45.0
_POLL_S = 0.2


def read_lock(path: Path) -> dict[str, str]:
    """Return `{jar: sha256 in hex}` from a file as `sha256sum` writes it.

    Raises BrokerUnavailable when it is missing, empty or says anything else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise BrokerUnavailable(
            f"{path} is missing: run from a full checkout, or restore it from git."
        ) from None
    lock = {}
    for number, line in enumerate(lines, start=1):
        digest, separator, name = line.partition("  ")
        hexadecimal = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
        if not (hexadecimal and separator and name.endswith(".jar")) or "/" in name or name in lock:
            raise BrokerUnavailable(f"{path}, line {number}, is not `<sha256>  <name>.jar`, each jar once.")
        lock[name] = digest
    if not lock:
        raise BrokerUnavailable(f"{path} names no jars: restore it from git.")
    return lock


def faults(directory: Path, lock: dict[str, str]) -> list[str]:
    """Return what is wrong with the jars in `directory`, one clause each; empty when nothing is.

    Every byte is read. That is 50 MB and takes about a fifth of a second, less than any marker of an
    earlier check is worth.
    """
    there = {path.name: path for path in directory.glob("*.jar")}
    found = [f"{name} is missing" for name in sorted(lock.keys() - there.keys())]
    found += [f"{name} does not belong there" for name in sorted(there.keys() - lock.keys())]
    for name in sorted(lock.keys() & there.keys()):
        with there[name].open("rb") as jar:
            digest = hashlib.file_digest(jar, "sha256").hexdigest()
        if digest != lock[name]:
            found.append(f"{name} has the wrong checksum {digest}")
    return found


def verified(cache: Path, *, deploy: Path = DEPLOY) -> list[Path] | None:
    """Return the jars in `cache`, every one checked, in the order of the lock; None when none were fetched.

    Raises BrokerUnavailable when they are there and are not the locked ones.
    """
    directory = jars_directory(cache)
    if not directory.is_dir():
        return None
    lock = read_lock(deploy / "jars.sha256")
    wrong = faults(directory, lock)
    if wrong:
        raise BrokerUnavailable(
            f"The jars in {directory} are not the ones that {deploy / 'jars.sha256'} names "
            f"({_shortened(wrong)}): delete that directory and start again."
        )
    return [directory / name for name in lock]


def jars_directory(cache: Path) -> Path:
    """Return where the jars of this version lie below `cache`."""
    return cache / f"kafka-{VERSION}"


def fetch(
    cache: Path, progress: Callable[[str], None], *, deadline_s: float = 600, deploy: Path = DEPLOY
) -> list[Path]:
    """Return the checked jars, fetched with Maven if they are not in `cache` yet.

    A directory with the final name is always complete: the jars are fetched beside it and moved there after
    the check. No network is used when they are there.

    Raises KafkaUnavailable when they cannot be fetched, BrokerUnavailable when they are not the locked ones.
    """
    with locked(cache / f"kafka-{VERSION}.lock", deadline_s, f"fetching Apache Kafka {VERSION}"):
        jars = verified(cache, deploy=deploy)
        if jars is not None:
            return jars
        lock = read_lock(deploy / "jars.sha256")
        maven = shutil.which("mvn")
        if maven is None:
            raise KafkaUnavailable(
                f"The jars of Apache Kafka {VERSION} are not in {jars_directory(cache)} and Maven, which "
                "fetches them, is not installed: install Maven (the command mvn)."
            )
        progress(f"Fetching Apache Kafka {VERSION} with Maven, {len(lock)} jars, about 50 MB, once.")
        for left in cache.glob(f".kafka-{VERSION}.*"):
            # Of a fetch that was interrupted; nobody else can be at it, since we hold the lock.
            shutil.rmtree(left)
        fresh = Path(tempfile.mkdtemp(prefix=f".kafka-{VERSION}.", dir=cache))
        try:
            _run_maven(maven, deploy / "pom.xml", fresh, progress, deadline_s)
            wrong = faults(fresh, lock)
            if wrong:
                raise BrokerUnavailable(
                    f"What Maven fetched is not what {deploy / 'jars.sha256'} names ({_shortened(wrong)}): "
                    "nothing was kept. Look at the repositories in your Maven settings."
                )
            (fresh / "maven.log").unlink()
            # mkdtemp makes it private to this user, which a cache need not be.
            fresh.chmod(0o755)
            os.replace(fresh, jars_directory(cache))
        except BaseException:
            shutil.rmtree(fresh)
            raise
        jars = verified(cache, deploy=deploy)
        assert jars is not None
        return jars


def _run_maven(
    maven: str, pom: Path, target: Path, progress: Callable[[str], None], deadline_s: float
) -> None:
    log = target / "maven.log"
    # By its full name: the short one makes Maven ask the network who "dependency" is. Version: see the pom.
    goal = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"
    command = [maven, "-B", "-C", "-f", str(pom), goal]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    with log.open("wb") as output:
        try:
            run = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        except OSError as error:
            raise KafkaUnavailable(f"Maven ({maven}) cannot be run: {error.strerror}.") from error
    ended = False
    try:
        _follow(run, log, progress, deadline_s)
        ended = True
    finally:
        if not ended:
            # mvn is a script around a Java process: all of its session has to go.
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    if run.returncode != 0:
        said = [line for line in log.read_text(errors="replace").splitlines() if "[ERROR]" in line]
        reason = said[0] if said else f"mvn ended with {run.returncode} and no error message"
        raise KafkaUnavailable(
            f"Maven could not fetch the jars of Apache Kafka {VERSION}: see that this machine is online and "
            f"that mvn works. It said: {reason}"
        )


def _follow(
    run: subprocess.Popen[bytes], log: Path, progress: Callable[[str], None], deadline_s: float
) -> None:
    """Wait for Maven, passing on how far it is; give up when its output stands still."""
    started = moved = time.monotonic()
    size = told = 0
    while run.poll() is None:
        now = time.monotonic()
        if log.stat().st_size != size:
            size, moved = log.stat().st_size, now
            done = log.read_bytes().count(b"Downloaded from")
            if done >= told + 100:
                told = done
                progress(f"Maven: {done} files fetched.")
        if now - moved > _STALL_S or now - started > deadline_s:
            raise KafkaUnavailable(
                f"Maven got no further with the jars of Apache Kafka {VERSION} for "
                f"{now - moved:.0f} s and was ended: see that this machine is online, then try again."
            )
        time.sleep(_POLL_S)


def _shortened(clauses: list[str]) -> str:
    shown = "; ".join(clauses[:3])
    return shown if len(clauses) <= 3 else f"{shown}; and {len(clauses) - 3} more"
