import greeting


def test_name_is_greeted():
    assert greeting.greet("ada") == "Hello, Ada!"
