"""What is used of Apache Beam, or an error that says how to get it."""

from tf_bertembed.common import MissingPackageError

try:
    import apache_beam as beam
    from apache_beam.io.filesystem import BeamIOError, CompressionTypes
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.metrics.metric import Metrics, MetricsFilter
    from apache_beam.ml.inference import base as inference
    from apache_beam.options.pipeline_options import (
        DirectOptions,
        PipelineOptions,
        StandardOptions,
    )
    from apache_beam.portability.api import beam_provision_api_pb2
    from apache_beam.runners.portability.fn_api_runner.fn_runner import (
        ExtendedProvisionInfo,
        FnApiRunner,
    )
    from apache_beam.runners.portability.portable_runner import JobServiceHandle
    from apache_beam.runners.runner import PipelineState
    from apache_beam.transforms.environments import SubprocessSDKEnvironment
except ImportError as error:
    if error.name != "apache_beam":
        raise
    raise MissingPackageError(["'tf-bertembed[beam]'"], "A pipeline past one machine") from error

__all__ = [
    "BeamIOError",
    "CompressionTypes",
    "DirectOptions",
    "ExtendedProvisionInfo",
    "FileSystems",
    "FnApiRunner",
    "JobServiceHandle",
    "Metrics",
    "MetricsFilter",
    "PipelineOptions",
    "PipelineState",
    "StandardOptions",
    "SubprocessSDKEnvironment",
    "beam",
    "beam_provision_api_pb2",
    "inference",
]
