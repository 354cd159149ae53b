"""Requests answered by a model store, from JSON to JSON; these methods block.

Reference: tensorflow_serving/model_servers/http_rest_api_handler.cc.
"""

import contextlib
import json
import threading

from google.protobuf import json_format

from tf_bertembed.serving.answer_writing import AnswerWriting
from tf_bertembed.serving.example_methods import classify, regress
from tf_bertembed.serving.facts import note
from tf_bertembed.serving.loaded_model import DEFAULT_SIGNATURE
from tf_bertembed.serving.rest.examples import serialized_examples
from tf_bertembed.serving.rest.json_answers import (
    classification_body,
    columns_body,
    regression_body,
    rows_body,
)
from tf_bertembed.serving.rest.json_tensors import predict_inputs
from tf_bertembed.serving.rest.json_values import (
    count_values,
    invalid,
    parse_json,
    signature_name,
)

PARSED_AT_A_TIME = 4


class Answers:
    """Answers the requests of the REST API.

    Args:
        store: `ModelStore`.
        limits: `Limits`.
    """

    def __init__(self, store, limits):
        self._store, self._limits = store, limits
        # A parsed request is many times as large as its text.
        self._parsing = threading.Semaphore(PARSED_AT_A_TIME)
        # Over HTTP, RESOURCE_EXHAUSTED would ask the client to come again later.
        self._writing = AnswerWriting(limits.answer_values, "INVALID_ARGUMENT")

    def answer(self, target, body):
        """Answer one request, and note its rows.

        Args:
            target: `Target`. What it is about.
            body: bytes.

        Returns:
            bytes, the JSON of the answer.

        Raises:
            ServingError: where it cannot be answered.
        """
        return getattr(self, f"_{target.verb}")(target, body)

    def _predict(self, target, body):
        with contextlib.ExitStack() as stack:
            with self._parsing:
                document = self._parse(body)
                name = signature_name(document) or DEFAULT_SIGNATURE
                model = stack.enter_context(self._store.use(**target.choice))
                if name not in model.signatures:
                    raise invalid(f'Serving signature name: "{name}" not found in signature def')
                known = model.signatures[name].inputs
                if not known:
                    raise invalid(f"Failed to get input map for signature: {name}")
                inputs, in_rows = predict_inputs(document, known)
                del document
            outputs = model.run(name, inputs, self._limits.run_seconds)
        with self._writing.of(outputs.values()):
            return rows_body(outputs) if in_rows else columns_body(outputs)

    def _classify(self, target, body):
        answer = self._run_examples(classify, target, body)
        with self._writing.of(answer):
            return classification_body(*answer)

    def _regress(self, target, body):
        values = self._run_examples(regress, target, body)
        with self._writing.of([values]):
            return regression_body(values)

    def _run_examples(self, method, target, body):
        with self._parsing:
            document = self._parse(body)
            name = signature_name(document)
            examples = serialized_examples(document)
            del document
        with self._store.use(**target.choice) as model:
            return method(model, name, examples, self._limits.run_seconds)

    def _status(self, target, body):
        statuses = [
            {
                "version": str(status.version),
                "state": status.state,
                "status": {
                    "error_code": status.error_code,
                    "error_message": status.error_message,
                },
            }
            for status in self._store.statuses(**target.choice)
        ]
        return _to_json({"model_version_status": statuses})

    def _metadata(self, target, body):
        with self._store.use(**target.choice) as model:
            signatures = {
                name: json_format.MessageToDict(
                    definition,
                    preserving_proto_field_name=True,
                    always_print_fields_with_no_presence=True,
                )
                for name, definition in model.meta_graph.signature_def.items()
            }
            spec = {"name": model.name, "signature_name": "", "version": str(model.version)}
        # What a `SignatureDefMap` in a map of `Any` looks like.
        metadata = {"signature_def": {"signature_def": signatures}}
        return _to_json({"model_spec": spec, "metadata": metadata})

    def _parse(self, body):
        if len(body) > self._limits.values and count_values(body) > self._limits.values:
            raise invalid(
                f"The request holds more than {self._limits.values} values, the limit of this "
                "server. Send it in parts."
            )
        document = parse_json(body)
        # Before they are converted, which takes far longer than counting.
        rows = max(map(_count_rows, map(document.get, ("instances", "inputs", "examples"))))
        if rows > self._limits.rows:
            raise invalid(
                f"The request has {rows} rows; this server takes at most {self._limits.rows}. "
                "Send it in parts."
            )
        note(rows=rows)
        return document


def _count_rows(value):
    """The rows of a part of a request: of several columns, those of the longest."""
    columns = value.values() if isinstance(value, dict) else [value]
    return max((len(column) for column in columns if isinstance(column, list)), default=0)


def _to_json(value):
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace")
