"""Beam's options among the arguments of the command line."""

from tf_bertembed.bulk.beam_package import PipelineOptions
from tf_bertembed.bulk.local_runner import is_local
from tf_bertembed.common import BertEmbedError


def parse(arguments):
    """Tell Beam's options from the input files.

    Args:
        arguments: list of strings.

    Returns:
        A pair: a list of strings, the inputs, and `PipelineOptions`.

    Raises:
        BertEmbedError: where an option of Beam has a wrong value, or is none on
            a runner of this machine. Others may have options that only their
            job servers know.
    """
    options = PipelineOptions(arguments)
    parsers = []

    def take(parser):
        parser.error = _fail
        parsers.append(parser)

    # Beam hands out the parser of all its options here and nowhere else.
    options.get_all_options(add_extra_args_fn=take)
    parser = parsers[0]
    parser.add_argument("inputs", nargs="*")
    known, unknown = parser.parse_known_intermixed_args(arguments)
    if unknown and is_local(options):
        _fail(f"unknown option: {' '.join(unknown)}")
    return known.inputs, options


def _fail(message):
    raise BertEmbedError(message)
