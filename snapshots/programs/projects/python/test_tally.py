import tally


def test_words_are_counted():
    assert tally.count("one two  three") == 3
