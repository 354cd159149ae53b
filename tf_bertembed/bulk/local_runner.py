"""Which runner runs a pipeline, and on how many processes of this machine."""

import logging
import shlex
import sys

from tf_bertembed.bulk.beam_package import (
    DirectOptions,
    ExtendedProvisionInfo,
    FnApiRunner,
    JobServiceHandle,
    StandardOptions,
    SubprocessSDKEnvironment,
    beam_provision_api_pb2,
)
from tf_bertembed.common import available_cores

PROCESSES = "multi_processing"
LOCAL = (None, "DirectRunner", "SwitchingDirectRunner", "FnApiRunner")


class _LocalRunner(FnApiRunner):
    """`FnApiRunner` whose worker processes write nothing but errors to stderr."""

    def run_pipeline(self, pipeline, options):
        direct = options.view_as(DirectOptions)
        mode = direct.direct_running_mode
        if mode != PROCESSES or not logging.getLogger().level >= logging.ERROR:
            return super().run_pipeline(pipeline, options)
        # Beam gives it to a shell, which Ctrl-C would stop with a traceback.
        command = f"exec {shlex.quote(sys.executable)} -m tf_bertembed.bulk.quiet_worker"
        self._default_environment = SubprocessSDKEnvironment.from_command_string(command)
        # In this mode only does the runner of Beam take the environment that it is given.
        direct.direct_running_mode = "in_memory"
        try:
            return super().run_pipeline(pipeline, options)
        finally:
            direct.direct_running_mode = mode


def is_local(options):
    """Whether the pipeline runs on this machine.

    Args:
        options: Beam's `PipelineOptions`.

    Returns:
        A bool.
    """
    return options.view_as(StandardOptions).runner in LOCAL


def choose_runner(options):
    """The runner that the options name; for `DirectRunner` the one of Python alone.

    In Beam 2.77 `DirectRunner` tries Prism first, a program in Go that it
    downloads, and where that fails comes to the same runner.

    Args:
        options: Beam's `PipelineOptions`.

    Returns:
        A runner of Beam, or its name.
    """
    if not is_local(options):
        return options.view_as(StandardOptions).runner
    # Worker processes read their options, such as the level of the log, from here.
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    information = ExtendedProvisionInfo(
        beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded)
    )
    return _LocalRunner(provision_info=information)


def worker_processes(options):
    """How many processes of this machine work.

    Args:
        options: Beam's `PipelineOptions` of a local runner.

    Returns:
        An int.
    """
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode != PROCESSES:
        return 1
    return direct.direct_num_workers or available_cores()


def default_streams(options):
    """Batches at a time in a worker process, so that each core of this machine has one.

    On others it is one: Dataflow starts a process for each core, Flink and
    Spark as many as `--sdk_worker_parallelism` says.

    Args:
        options: Beam's `PipelineOptions`.

    Returns:
        An int.
    """
    return max(1, available_cores() // worker_processes(options)) if is_local(options) else 1
