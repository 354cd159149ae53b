"""`tf-bertembed serve`: exported models over TensorFlow Serving's APIs."""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Json, Seed, output_as


def serve(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of exported models, saved_models/NAME; each is served by its name.",
            metavar="[FOLDER]...",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="A models.config (ModelServerConfig) instead of folders."),
    ] = None,
    batching_parameters: Annotated[
        Path | None,
        typer.Option("--batching-parameters", help="A batching_parameters.txt."),
    ] = None,
    rest_port: Annotated[
        int, typer.Option("--rest-port", min=0, max=65535, help="0 for any free port.")
    ] = 8501,
    grpc_port: Annotated[
        int, typer.Option("--grpc-port", min=0, max=65535, help="0 for any free port.")
    ] = 8500,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; this machine by default.")
    ] = "127.0.0.1",
    poll_seconds: Annotated[
        float,
        typer.Option("--poll-seconds", min=0, help="How often to look for versions; 0 for once."),
    ] = 1.0,
    stop_seconds: Annotated[
        float,
        typer.Option("--stop-seconds", min=0, help="How long requests may run on at the end."),
    ] = 10.0,
    log_texts: Annotated[
        bool, typer.Option("--log-texts", help="Let the log hold what clients send.")
    ] = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Serve exported models, for development and tests.

    Answers TensorFlow Serving's REST and gRPC APIs where TensorFlow Serving
    itself cannot run. For production use TensorFlow Serving: it serves the
    same folders. New versions are found and swapped in while requests run.
    Ends on SIGTERM or Ctrl-C, once the requests that run are answered. The
    log is JSON on stderr. Nothing here is random: --seed changes nothing.
    """
    from tf_bertembed.serving import command
    from tf_bertembed.serving.json_logs import logged_as_json

    with output_as(as_json) as print_json:
        models = command.models_to_serve(folders or [], config)
        start_tensorflow(streams=True)
        server = command.make_server(
            models,
            batching_parameters=batching_parameters,
            poll_seconds=poll_seconds,
            rest_port=rest_port,
            grpc_port=grpc_port,
            host=host,
            stop_seconds=stop_seconds,
            log_texts=log_texts,
        )

        def started():
            served = {"models": [model.name for model in models], **server.addresses()}
            if print_json:
                print_json(served)
            else:
                text = "Serving {} at {rest} and {grpc}; Ctrl-C ends it."
                print(text.format(", ".join(served["models"]), **served), flush=True)

        with logged_as_json(log_texts=log_texts):
            server.run(started)
