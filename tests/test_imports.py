"""Which part may import which, and that importing stays cheap."""

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tf_bertembed

ROOT = Path(tf_bertembed.__file__).parent

# A folder imports only from folders to the left of its own; those in one group not each other.
ORDER = [
    {"common"},
    {"vectors"},
    {"text"},
    {"layers"},
    {"models"},
    {"tasks"},
    {"training"},
    {"export"},
    {"probe", "bulk", "explain", "serving"},
    {"quickstart"},
    {"cli"},
]
RANK = {folder: rank for rank, group in enumerate(ORDER) for folder in group}

KERAS = {"tensorflow", "tensorflow_text", "keras", "keras_nlp", "keras_hub"}
NEVER = {
    "common": KERAS | {"gensim"},
    "vectors": KERAS,
    "layers": {"gensim"},
    # TensorFlow is only started there, never used.
    "cli": KERAS - {"tensorflow", "tensorflow_text"} | {"numpy", "gensim", "sklearn"},
}


def imported_modules(tree, package):
    """Yield (line, dotted name) of every module that a syntax tree imports, wherever it does so."""
    aliases = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
                if name.name == "tf_bertembed":
                    aliases.add(name.asname or name.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join(parents[: len(parents) - node.level + 1] + [base] * bool(base))
            # `from tf_bertembed import text` names a folder, `from numpy import array` does not.
            for name in node.names:
                yield node.lineno, f"{base}.{name.name}" if base == "tf_bertembed" else base
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant):
                    yield node.lineno, argument.value
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in aliases:
            yield node.lineno, f"tf_bertembed.{node.attr}"


def wrong_imports(root):
    """Every import under a package's root that runs against the order, as readable lines."""
    wrong = []
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        folder = relative.parts[0] if len(relative.parts) > 1 else None
        if folder is not None and folder not in RANK:
            wrong.append(f"{relative}: the folder {folder!r} has no place in the order")
            continue
        package = ".".join(["tf_bertembed", *relative.parts[:-1]])
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for line, module in imported_modules(tree, package):
            top, _, rest = module.partition(".")
            target = rest.partition(".")[0]
            if top == "tf_bertembed" and target in RANK:
                if not _may_import(relative, folder, target):
                    wrong.append(f"{relative}:{line}: {folder or relative} imports {target}")
            elif top in NEVER.get(folder, ()):
                wrong.append(f"{relative}:{line}: {folder} imports {top}")
    return wrong


def _may_import(relative, folder, target):
    if folder is None:
        return target == "common" if relative.name == "__init__.py" else True
    return folder == target or RANK[target] < RANK[folder]


def test_no_import_runs_against_the_order():
    assert wrong_imports(ROOT) == []


@pytest.mark.parametrize(
    ("folder", "source", "found"),
    [
        ("vectors", "from tf_bertembed.text import load_vocabulary", "vectors imports text"),
        ("vectors", "from tf_bertembed import text", "vectors imports text"),
        ("vectors", "import tf_bertembed.text.vocabulary", "vectors imports text"),
        ("vectors", "import tf_bertembed as tb\ntb.text.load_vocabulary", "vectors imports text"),
        ("vectors", "from ..text import load_vocabulary", "vectors imports text"),
        ("vectors", "from .. import text", "vectors imports text"),
        ("vectors", "def f():\n    import tensorflow as tf", "vectors imports tensorflow"),
        ("vectors", "from keras import layers", "vectors imports keras"),
        ("layers", "import importlib\nimportlib.import_module('gensim')", "layers imports gensim"),
        ("probe", "from tf_bertembed import serving", "probe imports serving"),
        ("quickstart", "from tf_bertembed.cli import main", "quickstart imports cli"),
        ("helpers", "x = 1", "no place in the order"),
        (".", "from tf_bertembed import vectors", "imports vectors"),
    ],
)
def test_a_wrong_import_is_found(tmp_path, folder, source, found):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "__init__.py").write_text(source)
    (problem,) = wrong_imports(tmp_path)
    assert found in problem


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("text", "from tf_bertembed import common, vectors\nimport tensorflow"),
        ("text", "from tf_bertembed.text.vocabulary import load_vocabulary"),
        ("text", "from .vocabulary import load_vocabulary"),
        ("cli", "from tf_bertembed import __version__, quickstart"),
        (".", "from tf_bertembed.common import lazy"),
    ],
)
def test_a_right_import_is_passed(tmp_path, folder, source):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "__init__.py").write_text(source)
    assert wrong_imports(tmp_path) == []


def run(code):
    """What a fresh Python prints in some code."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(code):
    """Names of the top-level modules that a fresh Python has loaded after some code."""
    names = "json.dumps(sorted({name.partition('.')[0] for name in sys.modules}))"
    return set(json.loads(run(f"{code}\nimport json, sys\nprint({names})").splitlines()[-1]))


PACKAGES = sorted(module.name for module in pkgutil.iter_modules([str(ROOT)]) if module.ispkg)


def test_importing_loads_nothing_heavy():
    code = "\n".join(f"import tf_bertembed.{name}" for name in PACKAGES)
    assert not loaded_by(code) & (KERAS | {"numpy", "gensim", "sklearn", "matplotlib"})


def test_beside_keras_whatever_it_may_find_in_a_file_is_known():
    decorator = re.compile(r"^@keras\.saving\.register_keras_serializable\(.*\)\nclass (\w+)", re.M)
    marked = {
        name
        for path in ROOT.rglob("*.py")
        for name in decorator.findall(path.read_text(encoding="utf-8"))
    }
    code = "import keras\nimport tf_bertembed\nprint(*keras.saving.get_custom_objects())"
    known = run(code).split()
    assert {name.partition(">")[2] for name in known if name.startswith("tf_bertembed>")} == marked
    assert {"BertEmbedBackbone", "TextClassifier", "BertEmbedTokenizer"} < marked


def test_help_loads_nothing_heavy():
    code = "from tf_bertembed.cli import main\nassert main(['--help']) == 0"
    assert not loaded_by(code) & (KERAS | {"numpy", "gensim", "sklearn", "matplotlib", "rich"})


def test_all_of_vectors_works_without_tensorflow():
    code = "from tf_bertembed import vectors\n[getattr(vectors, name) for name in vectors.__all__]"
    loaded = loaded_by(code)
    assert "gensim" in loaded
    assert not loaded & KERAS


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_is_there(name):
    package = importlib.import_module(f"tf_bertembed.{name}")
    assert package.__doc__
    for public in package.__all__:
        assert getattr(package, public) is not None
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = package.no_such_name


def test_every_name_at_the_top_is_there():
    for public in tf_bertembed.__all__:
        assert importlib.import_module(f"tf_bertembed.{public}").__name__.endswith(public)
