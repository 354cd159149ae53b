"""Which runner runs a pipeline, and on how many processes of this machine."""

from tf_bertembed.bulk.beam_package import (
    DirectOptions,
    ExtendedProvisionInfo,
    FnApiRunner,
    JobServiceHandle,
    StandardOptions,
    beam_provision_api_pb2,
)
from tf_bertembed.common import available_cores

LOCAL = (None, "DirectRunner", "SwitchingDirectRunner", "FnApiRunner")


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
    return FnApiRunner(provision_info=information)


def worker_processes(options):
    """How many processes of this machine work.

    Args:
        options: Beam's `PipelineOptions` of a local runner.

    Returns:
        An int.
    """
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode != "multi_processing":
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
