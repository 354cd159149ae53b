import io

from tf_bertembed import common


def test_nothing_is_shown_away_from_a_terminal(capsys):
    with common.progress("Counting", total=2) as advance:
        advance()
        advance(1)
    assert capsys.readouterr() == ("", "")


def test_the_name_stays_a_function():
    first, second = common.progress, common.progress
    assert first is second
    assert callable(second)


def test_bars_within_bars_share_the_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with common.progress("Rows", total=2) as advance:
        with common.progress("Texts", total=1) as advance_within:
            advance_within()
        advance()
    last = terminal.getvalue()
    assert "Rows" in last
    assert "Texts" in last
