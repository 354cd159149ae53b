from tf_bertembed import common


def test_nothing_is_shown_away_from_a_terminal(capsys):
    with common.progress("Counting", total=2) as advance:
        advance()
        advance(1)
    assert capsys.readouterr() == ("", "")
