"""`models.config`, and which versions a policy chooses."""

import pytest

from tf_bertembed.common import FileFormatError
from tf_bertembed.serving.model_config import ModelConfig, VersionPolicy, read_model_config


def test_policies():
    numbers = [3, 1, 20]
    assert VersionPolicy().choose(numbers) == [20]
    assert VersionPolicy(latest=2).choose(numbers) == [20, 3]
    assert VersionPolicy(every=True).choose(numbers) == [20, 3, 1]
    assert VersionPolicy(specific=(1, 4)).choose(numbers) == [1]


def test_models_config(tmp_path):
    path = tmp_path / "models.config"
    path.write_text(
        """
        model_config_list {
          config {
            name: "bbc" base_path: "bbc" model_platform: "tensorflow"
            model_version_policy { specific { versions: 3 versions: 5 } }
            version_labels { key: "stable" value: 3 }
          }
          config { name: "all" base_path: "/models/all" model_type: TENSORFLOW
                   model_version_policy { all {} } }
          config { name: "two" base_path: "/models/two" model_platform: "tensorflow"
                   model_version_policy { latest { num_versions: 2 } } }
        }
        """
    )
    assert read_model_config(path) == [
        ModelConfig("bbc", tmp_path / "bbc", {"stable": 3}, VersionPolicy(specific=(3, 5))),
        ModelConfig("all", "/models/all", {}, VersionPolicy(every=True)),
        ModelConfig("two", "/models/two", {}, VersionPolicy(latest=2)),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model_config_list {\n  config { nam: 1 }\n}", "line 2: A ModelServerConfig in protobuf"),
        ("custom_model_config {}", "Only ModelConfigList is currently supported"),
        ('model_config_list { config { name: "a" } }', "needs a `name` and a `base_path`"),
        ('model_config_list { config { name: "a" base_path: "b" } }', "neither"),
        (
            'model_config_list { config { name: "a" base_path: "b" model_platform: "caffe" } }',
            "Received: 'caffe'",
        ),
        (b"\xff", "UTF-8 text was expected"),
    ],
)
def test_a_models_config_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "models.config"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileFormatError, match=message):
        read_model_config(path)
