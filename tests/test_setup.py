"""What the package imports, setup.py asks for by name."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import tf_bertembed

ROOT = Path(tf_bertembed.__file__).parent
SETUP = ROOT.parent / "setup.py"
GROUPS = ("REQUIRES", "DEMO", "CHINESE", "SEARCH", "SERVE", "PARQUET", "BEAM")


def _name(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement).group().lower().replace("_", "-")


def _declared():
    names = set()
    for node in ast.parse(SETUP.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id in GROUPS:
            names |= {
                _name(item.value) for item in node.value.elts if isinstance(item, ast.Constant)
            }
    return names


def _imported():
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            else:
                continue
            yield from (tuple(module.split(".")) for module in modules)


@pytest.mark.skipif(not SETUP.exists(), reason="setup.py is in the repository only")
def test_every_package_imported_is_asked_for():
    distributions = packages_distributions()
    needed = set()
    for module in set(_imported()):
        if module[0] in sys.stdlib_module_names or module[0] == "tf_bertembed":
            continue
        # `google` is shared by several packages.
        names = ["protobuf"] if module[:2] == ("google", "protobuf") else distributions[module[0]]
        needed.add(_name(names[0]))
    assert needed - _declared() == set()
