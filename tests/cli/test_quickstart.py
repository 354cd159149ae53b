"""The exit code of the demo, for results that a real run cannot be made to give."""

import pytest
from typer.testing import CliRunner

from tf_bertembed import quickstart
from tf_bertembed.cli.app import app


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_a_verification_that_fails_ends_with_code_1(monkeypatch, ok, code):
    results = {"export": {"ok": ok}}
    monkeypatch.setattr(quickstart, "run", lambda **_: results, raising=False)
    assert CliRunner().invoke(app, ["quickstart", "--fast", "--json"]).exit_code == code
