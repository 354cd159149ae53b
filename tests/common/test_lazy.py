import subprocess
import sys

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
