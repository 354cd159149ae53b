"""The models of a server: versions found, loaded, swapped and let go."""

import contextlib
import gc
import logging
import threading
import time

from tf_bertembed.common import BertEmbedError, MissingFileError
from tf_bertembed.serving.batching import Batcher
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.facts import note
from tf_bertembed.serving.model_config import check_models
from tf_bertembed.serving.served_model import ServedModel

log = logging.getLogger(__name__)


class ModelStore:
    """Holds models by name, and looks for new versions of them.

    A new version is loaded and warmed up before an older one is let go, and
    that waits for the requests that use it, so none fails. A version that
    does not load keeps its error as its status, and the older one stays; it
    is tried again once its files have changed.

    Args:
        models: list of `ModelConfig`.
        poll_seconds: float. How often the folders are looked at; 0 for only
            once, at the start.
        batching: `BatchingParameters`. How requests are put together; `None`
            for the defaults.

    Attributes:
        batcher: `Batcher`. What runs the requests.
    """

    def __init__(self, models, poll_seconds=1.0, batching=None):
        self.batcher = Batcher(batching)
        self._poll_seconds = poll_seconds
        self._changing = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._poller = None
        self._leaving = []
        self._models = {
            config.name: ServedModel(config, self.batcher, self._wake.set)
            for config in check_models(list(models))
        }

    def start(self):
        """Load what is there, and go on looking.

        Raises:
            MissingFileError: where a model's folder is not there.
            BertEmbedError: where a model has no version that can be served,
                or a label names a version that is not.
        """
        self.batcher.start()
        try:
            for model in self._models.values():
                _require_versions(model.config)
                model.poll()
                _require_available(model, model.config)
        except BaseException:
            self.stop()
            raise
        self._poller = threading.Thread(target=self._look_after, name="versions", daemon=True)
        self._poller.start()

    def stop(self, seconds=None):
        """Stop looking, let all models go, fail what still waits.

        Args:
            seconds: float. How long to wait for what runs, be it a request or
                the loading of a version, which is cut off afterwards; `None`
                for no limit.
        """
        end = None if seconds is None else time.monotonic() + seconds
        self._stopped.set()
        self._wake.set()
        finished = self.batcher.stop(seconds)
        if self._poller is not None:
            self._poller.join(None if end is None else max(0.0, end - time.monotonic()))
        if not self._changing.acquire(
            timeout=-1 if end is None else max(0.0, end - time.monotonic())
        ):
            return
        try:
            for model in (*self._models.values(), *self._leaving):
                model.retire_all()
                model.sweep(everything=not finished)
        finally:
            self._changing.release()

    def names(self):
        """Name the models.

        Returns:
            A list of strings.
        """
        return sorted(name for name, model in self._models.items() if not model.removed)

    @contextlib.contextmanager
    def use(self, name, version=None, label=None):
        """Take a version for the time of a request.

        Args:
            name: string. The model.
            version: int. Its version; `None` for the highest that is loaded.
            label: string. A name of the version instead.

        Yields:
            A `LoadedModel`, which stays loaded until the block ends.

        Raises:
            ServingError: NOT_FOUND where it is not loaded; INVALID_ARGUMENT
                where the label is not known.
        """
        model = self._model(name)
        if label is not None:
            version = self._labelled(model, label)
        held = model.take(version) if model is not None else None
        if held is None:
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise ServingError("NOT_FOUND", f"Servable not found for request: {wanted}")
        note(model=name, version=held.number)
        try:
            yield held.loaded
        finally:
            model.give_back(held)

    def statuses(self, name, version=None, label=None):
        """Tell how the versions of a model are.

        Args:
            name: string. The model.
            version: int. Only this version; `None` for all.
            label: string. A name of the version instead.

        Returns:
            A list of `VersionStatus`, the highest version first.

        Raises:
            ServingError: NOT_FOUND where nothing is known of it.
        """
        model = self._model(name)
        if label is not None:
            version = self._labelled(model, label)
        statuses = [] if model is None else model.statuses()
        if version is not None:
            statuses = [status for status in statuses if status.version == version]
        if not statuses and version is not None:
            raise ServingError("NOT_FOUND", f"Could not find version {version} of model {name}")
        if not statuses:
            raise ServingError("NOT_FOUND", f"Could not find any versions of model {name}")
        note(model=name)
        return statuses

    def ready(self):
        """Whether every model has a version that answers.

        Returns:
            A bool.
        """
        return not self._stopped.is_set() and all(
            model.removed or model.available() for model in list(self._models.values())
        )

    def reload(self, models):
        """Serve other models, or others of their versions, from now on.

        All is as before until everything that is asked for can be served, and
        stays so where something cannot.

        Args:
            models: list of `ModelConfig`. All models to serve.

        Raises:
            ServingError: where a model has no version that can be served, or
                a label names a version that is not.
        """
        models = {config.name: config for config in check_models(list(models))}
        with self._changing:
            known = self._models
            served = {name: self._serving(config) for name, config in models.items()}
            before = {name: model.available() for name, model in served.items()}
            try:
                for name, config in models.items():
                    served[name].load_wanted(config)
                    _require_available(served[name], config)
            except BaseException as error:
                for name, model in served.items():
                    if model is known.get(name):
                        model.keep_only(before[name])
                    else:
                        self._drop(model)
                if isinstance(error, BertEmbedError):
                    raise ServingError("FAILED_PRECONDITION", str(error)) from error
                raise
            # Labels name other versions only once these are there.
            for name, config in models.items():
                served[name].configure(config)
            self._models = {**known, **served}
            for name, model in known.items():
                if name not in models:
                    model.remove()
                elif served[name] is not model:
                    self._drop(model)
            for model in served.values():
                model.let_go()

    def _serving(self, config):
        """The model that is to serve a configuration: another where its folder is another."""
        known = self._models.get(config.name)
        if known is not None and known.config.base_path == config.base_path:
            return known
        return ServedModel(config, self.batcher, self._wake.set)

    def _drop(self, model):
        model.remove()
        self._leaving.append(model)
        self._wake.set()

    def _model(self, name):
        return self._models.get(name)

    @staticmethod
    def _labelled(model, label):
        labels = {} if model is None or model.removed else model.config.labels
        if label not in labels:
            raise ServingError("INVALID_ARGUMENT", f"Unrecognized servable version label: {label}")
        return labels[label]

    def _look_after(self):
        while not self._stopped.is_set():
            self._wake.wait(self._poll_seconds or None)
            self._wake.clear()
            if self._stopped.is_set():
                return
            with self._changing:
                swept = [model for model in self._models.values() if self._look_at(model)]
                swept += [model for model in self._leaving if model.sweep()]
                self._leaving = [model for model in self._leaving if not model.gone()]
            if swept:
                # Graphs of Python hold each other; weights are freed already.
                gc.collect()

    def _look_at(self, model):
        if self._poll_seconds:
            try:
                model.poll()
            # Whatever is wrong with one model, the others go on.
            except Exception as error:
                log.exception("looking for versions failed", extra=_fields(model, error))
        return model.sweep()


def _fields(model, error):
    return {"fields": {"model": model.config.name, "error": str(error)}}


def _require_versions(config):
    if not config.base_path.is_dir():
        raise MissingFileError(
            config.base_path, f"The versions of the model {config.name!r} were expected there."
        )


def _require_available(model, config):
    name = config.name
    available = model.kept(config)
    if not available:
        failed = [status for status in model.statuses() if status.error_message]
        if failed:
            raise BertEmbedError(
                f"The model {name!r} has no version that can be served: version "
                f"{failed[0].version}: {failed[0].error_message}"
            )
        raise BertEmbedError(
            f"{config.base_path} holds no version to serve: a folder with a number for "
            "its name was expected, as `tf-bertembed export` makes it."
        )
    for version in config.labels.values():
        if version not in available:
            raise BertEmbedError(
                f"Request to assign label to version {version} of model {name}, which is not "
                "currently available for inference"
            )
