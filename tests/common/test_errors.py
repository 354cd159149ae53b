import pytest

from tf_bertembed import common


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (common.FileFormatError("a.tsv", "No label.", line=3), "a.tsv, line 3: No label."),
        (common.FileFormatError("a.tsv", "No label."), "a.tsv: No label."),
        (common.MissingFileError("a.tsv"), "a.tsv does not exist."),
        (common.OutputExistsError("out", "Use --force."), "out already exists. Use --force."),
        (
            common.MissingPackageError(["x-y", "z"], "The demo"),
            "The demo needs packages that are not installed. Run: pip install x-y z",
        ),
    ],
)
def test_message(error, message):
    assert str(error) == message
    assert isinstance(error, common.BertEmbedError)
    assert isinstance(error, ValueError)


def test_errors_are_also_the_builtin_kind():
    assert issubclass(common.MissingFileError, FileNotFoundError)
    assert issubclass(common.OutputExistsError, FileExistsError)
    assert issubclass(common.MissingPackageError, ImportError)
