import re
import subprocess
import sys
from pathlib import Path

import pytest

import tf_bertembed


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'tf_bertembed' has no attribute 'nothing'"):
        _ = tf_bertembed.nothing


def test_a_name_is_resolved_on_first_use():
    code = (
        "import sys, tf_bertembed.common as common\n"
        "assert 'tf_bertembed.common.files' not in sys.modules\n"
        "assert common.read_lines.__module__ == 'tf_bertembed.common.files'\n"
        "assert set(dir(common)) == set(common.__all__)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_name_is_hidden_by_its_own_submodule():
    # Importing package.name sets the attribute `name` to the module, for good.
    root = Path(tf_bertembed.__file__).parent
    hidden = [
        f"{file.parent.name}.{match[1]}"
        for file in root.rglob("__init__.py")
        for match in re.finditer(r'"(\w+)": "\1"', file.read_text(encoding="utf-8"))
    ]
    assert hidden == []
