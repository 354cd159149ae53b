"""Word vectors as gensim `KeyedVectors`: read, look up, align to a vocabulary."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Alignment": "alignment",
        "Coverage": "coverage",
        "Description": "description",
        "align": "alignment",
        "describe": "description",
        "fit_map": "mapping",
        "load": "loading",
        "map_to_table": "mapping",
        "static_table": "tables",
    },
)
