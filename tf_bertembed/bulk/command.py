"""The command line of the pipeline: arguments, output, exit codes."""

import argparse
import json
import logging
import os
import sys
import traceback

from tf_bertembed.bulk.settings import MAX_TEXT_BYTES
from tf_bertembed.common import BertEmbedError

PROGRAM = "python -m tf_bertembed.bulk"
ALL_WELL, ROWS_FAILED, USAGE_ERROR, PIPELINE_FAILED, INTERRUPTED = 0, 1, 2, 3, 130

DESCRIPTION = """\
Embed files of texts with an exported model on Apache Beam.

INPUT: files or patterns of text (a text a line), JSON lines or Parquet. Options that are not
listed here are Beam's: --runner, --direct_num_workers, --temp_location and so on."""

CODES = """\
exit codes: 0 every row got a vector; 1 some rows did not, they are in PREFIX-failed-*.jsonl;
2 the arguments are wrong, nothing was run; 3 the pipeline failed, no new file is left;
130 it was interrupted, no new file is left."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise BertEmbedError(message)


def _parser():
    parser = _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} INPUT… --model SAVED_MODEL --output PREFIX [options] [Beam's options]",
        description=DESCRIPTION,
        epilog=CODES,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model", required=True, metavar="SAVED_MODEL", help="an exported model, or its version")
    add("--output", required=True, metavar="PREFIX", help="what the output files begin with")
    add("--output-format", choices=("parquet", "jsonl"), default="parquet")
    add("--input-format", choices=("text", "jsonl", "parquet"), help="by default by the suffix")
    add("--text-column", default="text", metavar="NAME", help="of JSON lines and Parquet: text")
    add("--id-column", default="id", metavar="NAME", help="id; rows without one get FILE:LINE")
    add("--max-pieces", type=int, metavar="N", help="about the most pieces in a batch: 1024")
    add("--streams", type=int, metavar="N", help="batches at a time in a worker process")
    add("--threads", type=int, default=1, metavar="N", help="of TensorFlow for one batch: 1")
    add(
        "--max-text-bytes",
        type=int,
        default=MAX_TEXT_BYTES,
        metavar="N",
        help=f"longer texts fail: {MAX_TEXT_BYTES}",
    )
    add("--large-model", action="store_true", help="one model for all processes of a machine")
    add("--force", action="store_true", help="replace the files of an earlier run")
    add("--json", action="store_true", help="print the result as JSON")
    add("--verbose", action="store_true", help="show what Beam and TensorFlow log")
    return parser


def main(arguments=None):
    """Run the command line.

    Args:
        arguments: list of strings; those of this process by default.

    Returns:
        An int, the exit code: 0 where every row got a vector, 1 where some
        failed, 2 where the arguments are wrong, 3 where the pipeline failed,
        130 where the user interrupted it.
    """
    try:
        known, rest = _parser().parse_known_args(arguments)
        if not known.verbose:
            _be_quiet()
        report = _run(vars(known), rest)
    except BertEmbedError as error:
        return _fail(error, USAGE_ERROR)
    except KeyboardInterrupt:
        return _fail("interrupted.", INTERRUPTED)
    except Exception as error:  # a runner may raise anything
        cause = _cause(error, (KeyboardInterrupt, BertEmbedError))
        if isinstance(cause, KeyboardInterrupt):
            return _fail("interrupted.", INTERRUPTED)
        if cause is None:
            traceback.print_exc()
        return _fail(f"The pipeline failed: {cause or error}", PIPELINE_FAILED)
    print(json.dumps(report, indent=2, ensure_ascii=False) if known.json else _summary(report))
    return ROWS_FAILED if report["failed"] else ALL_WELL


def _run(settings, rest):
    from tf_bertembed.bulk import beam_options
    from tf_bertembed.bulk.pipeline import embed_pipeline

    inputs, options = beam_options.parse(rest)
    if not inputs:
        raise BertEmbedError(f"An INPUT is missing. Try: {PROGRAM} --help")
    return embed_pipeline(
        inputs,
        settings.pop("model"),
        settings.pop("output"),
        overwrite=settings.pop("force"),
        options=options,
        **{name: value for name, value in settings.items() if name not in ("json", "verbose")},
    )


def _cause(error, kinds):
    # Beam wraps whatever stops a step, Ctrl-C too.
    while error is not None and not isinstance(error, kinds):
        error = error.__cause__ or error.__context__
    return error


def _be_quiet():
    # The root, since Beam logs there too.
    logging.getLogger().setLevel(logging.ERROR)
    # What stopped a step is told once, at the end.
    logging.getLogger("apache_beam.runners.common").setLevel(logging.CRITICAL)
    # Worker processes of this machine see it too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _fail(error, code):
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
    return code


def _summary(report):
    told = (
        "{texts} texts, {dimensions} numbers each; {failed} failed; {bytes} bytes in {batches} "
        "batches; {seconds:.1f} s"
    )
    return "\n".join([told.format(**report), *report["outputs"], *report["failed_outputs"]])
