"""Readers of corpora; errors name the file and the line."""

from tf_bertembed import common


def read_documents(path, one_document_per_line=False):
    """Read a corpus: documents, each a list of sentences or paragraphs.

    Args:
        path: string or `pathlib.Path`. UTF-8 text, gzipped or not: one
            sentence or paragraph a line, a blank line between documents.
        one_document_per_line: bool. Whether each line is a document, with
            tabs between its parts, instead.

    Returns:
        List of lists of strings, without empty ones.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the file is empty, binary or not UTF-8 (with
            the line), or holds blank lines only.

    Example:

    ```python
    from tf_bertembed import text

    with open("corpus.txt", "w") as file:
        file.write("One.\\nTwo.\\n\\nThree.\\n")
    assert text.read_documents("corpus.txt") == [["One.", "Two."], ["Three."]]
    ```
    """
    documents = [[]]
    for _, line in common.read_lines(path):
        if one_document_per_line:
            documents.append([part.strip() for part in line.split("\t") if part.strip()])
        elif line.strip():
            documents[-1].append(line.strip())
        else:
            documents.append([])
    documents = [document for document in documents if document]
    if not documents:
        raise common.FileFormatError(path, "The file holds blank lines only; text was expected.")
    return documents
