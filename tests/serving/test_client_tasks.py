"""The client with the export of every task: rows sent in parts are answered as one request is."""

import numpy as np
import pytest

from tf_bertembed.export.signature_checks import CLASSIFY_METHOD
from tf_bertembed.serving import Client, Server
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(every_task):
    configs = [ModelConfig(name, folder) for name, folder in every_task.folders.items()]
    with Server(ModelStore(configs, poll_seconds=0), rest_port=0, grpc_port=0) as server:
        yield server


@pytest.mark.parametrize("transport", ["rest", "grpc"])
@pytest.mark.parametrize("name", ["classifier", "several", "encoder", "tagger", "answerer"])
def test_many_requests_are_answered_as_one(server, every_task, name, transport):
    texts = ["", "lives", every_task.context, "Bo", f"{every_task.context} {every_task.context}"]
    address = server.addresses()[transport]
    with (
        Client(address, name, transport=transport) as one,
        Client(address, name, transport=transport, batch_size=2) as many,
    ):
        signatures = one.metadata()["signatures"]
        assert "tokenize" in signatures
        for signature, known in signatures.items():
            names = enumerate(sorted(known["inputs"]))
            columns = {column: texts[shift:] + texts[:shift] for shift, column in names}
            if known["method_name"] == CLASSIFY_METHOD:
                expected, found = (client.classify(texts) for client in (one, many))
            else:
                expected, found = (client.predict(columns, signature) for client in (one, many))
            assert found.keys() == expected.keys()
            for output, array in expected.items():
                said = f"{signature}.{output}"
                assert found[output].dtype == array.dtype, said
                if array.dtype.kind == "f":
                    np.testing.assert_allclose(
                        found[output], array, rtol=1e-4, atol=1e-5, err_msg=said
                    )
                else:
                    assert found[output].tolist() == array.tolist(), said
