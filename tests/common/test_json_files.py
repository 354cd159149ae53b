import pytest

from tf_bertembed import common


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty. Say what for."),
        (b"{\n 'a': 1}", "line 2: JSON was expected"),
        (b"[1]", "A JSON object was expected. Received: a list"),
        (b'{\n"a": "caf\xe9"}', r"^[^:]*config\.json, line 2: UTF-8 text was expected"),
        (b"{\x00}", r"^[^:]*config\.json, line 1: .*binary"),
        (b"[" * 100_000, r"config\.json: The JSON is nested too deeply"),
        (b'{"a": ' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", r"config\.json: A number in the JSON cannot be read"),
    ],
    ids=lambda value: str(value[:30]),
)
def test_what_is_wrong_is_told(tmp_path, content, message):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(common.FileFormatError, match=message):
        common.read_json(path, "Say what for.")


def test_an_object_is_read(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes('\ufeff{"a":\n"é"}'.encode())
    assert common.read_json(path) == {"a": "é"}
    with pytest.raises(common.MissingFileError, match=r"nowhere does not exist\. Say what for\."):
        common.read_json(tmp_path / "nowhere", "Say what for.")


def test_a_list_is_read(tmp_path):
    path = tmp_path / "modules.json"
    path.write_text("[1, 2]")
    assert common.read_json(path, kind=list) == [1, 2]
    path.write_text("{}")
    with pytest.raises(common.FileFormatError, match=r"JSON list was expected\. Received: a dict"):
        common.read_json(path, kind=list)
