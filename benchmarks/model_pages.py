"""Writes the numbers of docs/cost.md and docs/scale.md anew from the model.

`.venv/bin/python -m benchmarks.model_pages`, after a constant of the model has changed. The sentences between
the tables are a person's: they name few numbers, which stay as they are.
"""

from benchmarks import cost_page, scale_page


def main() -> None:
    for page in (cost_page, scale_page):
        page.PAGE.write_text(page.rewritten(page.PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
