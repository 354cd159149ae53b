"""One model of a server: the states of its versions."""

import dataclasses
import logging
import threading
import time

from tf_bertembed.common import numbered_folders
from tf_bertembed.serving.loaded_model import LoadedModel, load_problem
from tf_bertembed.serving.warm_up import warm_up

log = logging.getLogger(__name__)

START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"
STATES = (START, LOADING, AVAILABLE, UNLOADING, END)


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """How a version of a model is.

    Args:
        version: int. The version.
        state: string. `"START"`, `"LOADING"`, `"AVAILABLE"`, `"UNLOADING"`
            or `"END"`.
        error_code: string. `"OK"`, or the name of a `grpc.StatusCode`.
        error_message: string. Why it did not load; empty where it did.
    """

    version: int
    state: str
    error_code: str = "OK"
    error_message: str = ""


@dataclasses.dataclass(eq=False)
class _Version:
    status: VersionStatus
    loaded: LoadedModel | None = None
    uses: int = 0
    files: tuple = ()

    @property
    def number(self):
        return self.status.version

    @property
    def state(self):
        return self.status.state


class ServedModel:
    """The versions of one model, of which some are loaded.

    Args:
        config: `ModelConfig`.
        batcher: `Batcher`. What runs the requests.
        wake: callable. Told when a version that is to go is no longer used.
    """

    def __init__(self, config, batcher, wake):
        self.config = config
        self.removed = False
        self._batcher = batcher
        self._wake = wake
        self._lock = threading.Lock()
        self._versions = {}
        self._reported = None

    def configure(self, config):
        """Serve other versions, or another folder, from the next `poll` on."""
        self.config, self.removed = config, False

    def statuses(self):
        """The statuses of all versions ever seen, the highest first."""
        with self._lock:
            versions = dict(self._versions)
        return [versions[number].status for number in sorted(versions, reverse=True)]

    def available(self):
        """The numbers of the versions that answer."""
        with self._lock:
            return [v.number for v in self._versions.values() if v.state == AVAILABLE]

    def take(self, number):
        """Hold a version, the highest where none is named; `None` where it is not loaded."""
        with self._lock:
            ready = [v for v in self._versions.values() if v.state == AVAILABLE]
            if number is not None:
                ready = [version for version in ready if version.number == number]
            if not ready:
                return None
            held = max(ready, key=lambda version: version.number)
            held.uses += 1
            return held

    def give_back(self, held):
        """Let go of what `take` gave."""
        with self._lock:
            held.uses -= 1
            over = held.uses == 0 and held.state == UNLOADING
        if over:
            self._wake()

    def poll(self):
        """Look at the folder; load what is new, then let go of what is no longer wanted."""
        if self.removed:
            return
        if not self.config.base_path.is_dir():
            self._report_once(f"{self.config.base_path} is not there; what is loaded stays")
            return
        if not self.load_wanted(self.config):
            self._report_once(f"{self.config.base_path} holds no version that is to be served")
        self.let_go()

    def load_wanted(self, config):
        """Load what a configuration asks for and is new; everything else stays.

        Returns:
            A bool, whether it asks for a version that is there.
        """
        found = _versions_in(config.base_path)
        wanted = config.version_policy.choose(found)
        new = [number for number in wanted if self._is_new(number, found[number])]
        for number in new:
            self._set(number, START)
        for number in new:
            self._load(number, found[number])
        return bool(wanted)

    def kept(self, config):
        """The versions that answer, and go on to under a configuration."""
        wanted = config.version_policy.choose(_versions_in(config.base_path))
        available = self.available()
        # A version that does not load is no reason to let go of those that answer.
        return [number for number in available if number in wanted] or available

    def let_go(self):
        """Let go of what the configuration no longer asks for."""
        self.keep_only(self.kept(self.config))

    def keep_only(self, numbers):
        """Let go of all versions but these."""
        for number in self.available():
            if number not in numbers:
                self._retire(number)

    def gone(self):
        """Whether nothing of it is loaded any more."""
        with self._lock:
            return all(version.loaded is None for version in self._versions.values())

    def remove(self):
        """Serve it no longer."""
        self.removed = True
        self.retire_all()

    def retire_all(self):
        """Let go of every version once nothing uses it."""
        self.keep_only(())

    def sweep(self, everything=False):
        """Free versions that were let go and that no request uses.

        Args:
            everything: bool. Whether those in use are freed too, which ends
                what runs.

        Returns:
            A bool, whether there was one.
        """
        with self._lock:
            over = [
                version
                for version in self._versions.values()
                if version.state == UNLOADING and (everything or not version.uses)
            ]
        for version in over:
            version.loaded.close()
            with self._lock:
                version.loaded = None
                version.status = VersionStatus(version.number, END)
            log.info("version unloaded", extra=self._fields(version.number))
        return bool(over)

    def _is_new(self, number, folder):
        version = self._versions.get(number)
        if version is None:
            return True
        if version.state != END:
            return False
        # One that failed may have been copied here while it was looked at.
        return not version.status.error_message or version.files != _files(folder)

    def _load(self, number, folder):
        self._set(number, LOADING)
        files, begun = (), time.perf_counter()
        loaded = None
        try:
            files = _files(folder)
            loaded = LoadedModel(self.config.name, number, folder, self._batcher)
            requests = warm_up(loaded)
        # What a foreign SavedModel can raise is not listed anywhere, and the
        # versions that answer must go on whatever it is.
        except Exception as error:
            if loaded is not None:
                loaded.close()
            code, message = load_problem(error)
            self._set(number, END, code, message, files=files)
            fields = self._fields(number, code=code, error=message)
            log.error("version failed to load", extra=fields)
            return
        self._set(number, AVAILABLE, loaded=loaded, files=files)
        seconds = round(time.perf_counter() - begun, 3)
        fields = self._fields(number, seconds=seconds, warm_up_requests=requests)
        log.info("version available", extra=fields)

    def _retire(self, number):
        with self._lock:
            version = self._versions[number]
            version.status = VersionStatus(number, UNLOADING)
            over = not version.uses
        if over:
            self._wake()

    def _set(self, number, state, code="OK", message="", loaded=None, files=()):
        status = VersionStatus(number, state, code, message)
        with self._lock:
            self._versions[number] = _Version(status, loaded, files=files)

    def _report_once(self, problem):
        if problem != self._reported:
            self._reported = problem
            log.warning(problem, extra={"fields": {"model": self.config.name}})

    def _fields(self, number, **fields):
        return {"fields": {"model": self.config.name, "version": number, **fields}}


def _versions_in(folder):
    return {number: path for number, path in numbered_folders(folder).items() if path.is_dir()}


def _files(folder):
    """What a folder holds; what cannot be looked at is told by its path alone."""
    found = []
    for path in (folder, *sorted(folder.rglob("*"))):
        try:
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size))
        except FileNotFoundError:
            continue
        except OSError:
            found.append((str(path),))
    return tuple(found)
