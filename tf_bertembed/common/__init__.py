"""Errors, atomic files, progress, seeds and cores: small, and known to every part."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "BertEmbedError": "errors",
        "FileFormatError": "errors",
        "MissingFileError": "errors",
        "MissingPackageError": "errors",
        "OutputExistsError": "errors",
        "atomic_path": "places",
        "available_cores": "cores",
        "check_at_least": "counts",
        "check_limits": "counts",
        "decode_line": "files",
        "derive_seed": "seeds",
        "is_whole": "counts",
        "make_folder": "places",
        "numbered_folders": "places",
        "numbered_names": "places",
        "open_bytes": "files",
        "parse_json": "json_files",
        "progress": "bars",
        "read_blocks": "files",
        "read_json": "json_files",
        "read_lines": "files",
        "require_file": "files",
    },
)
