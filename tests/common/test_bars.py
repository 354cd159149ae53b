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
