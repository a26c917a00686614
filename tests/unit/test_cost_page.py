import pytest

from benchmarks.cost_page import PAGE, TABLES, rewritten


def test_the_numbers_of_the_page_are_those_of_the_model() -> None:
    page = PAGE.read_text()
    assert rewritten(page) == page, "run: .venv/bin/python -m benchmarks.model_pages"


def test_an_old_number_on_the_page_is_replaced() -> None:
    page = PAGE.read_text()
    for old in ("| 38 | 98.5 M |", "total ", "| defaults | 3"):
        assert old in page
        assert rewritten(page.replace(old, f"{old}9", 1)) == page


@pytest.mark.parametrize("head", TABLES)
def test_a_table_that_the_page_lacks_is_named(head: str) -> None:
    with pytest.raises(ValueError, match="needs one table with the head"):
        rewritten(PAGE.read_text().replace(head, "| another |"))
