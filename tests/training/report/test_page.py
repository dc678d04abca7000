"""The page, parsed: nothing fetched, nothing of a model's text alive, everything said in words too."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from evaluated import EVIL, judge, make_evidence

from training.evidence import Evidence, Manifest, Perplexity
from training.report.page import render, typeset, write_report
from training.table import compute

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """Every element with its attributes, the text, and whether all that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def classes(self, tag: str) -> list[str]:
        return [attributes.get("class") or "" for attributes in self.all(tag)]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def source() -> str:
    evidence = make_evidence()
    return render(evidence, compute(evidence, judge), judge)


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_page_is_whole(page: Page) -> None:
    """Every element that is opened is closed, ids are unique, and links within the page lead somewhere."""
    assert not page.open
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] or "" for attributes in page.all("a")]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert {"table", "pairs", "worked", "answers", "training", "provenance"} <= set(ids)


def test_page_fetches_nothing(source: str, page: Page) -> None:
    """There is no URL, no file, no script and no style from elsewhere in it."""
    assert not page.all("script") + page.all("link") + page.all("img") + page.all("iframe")
    assert not re.search(r"https?:|//[\w.-]+\.\w|@import|url\((?!#)", source)
    for _, attributes in page.elements:
        assert "src" not in attributes
        assert all(str(value).startswith("#") for name, value in attributes.items() if name.endswith("href"))
        assert not [name for name in attributes if name.startswith("on")]


def test_model_text_stays_text(source: str, page: Page) -> None:
    """Markup in a title, a prompt, an answer, a token, a reason and a setting is shown as it was written."""
    assert EVIL not in source
    assert page.text.count("<script>alert('model')</script>") >= 6


def test_page_says_what_it_shows(page: Page) -> None:
    """Every plot has a name and a caption, the table its headers, colour never stands alone."""
    plots = page.all("svg")
    assert len(plots) == 8
    assert all(plot["role"] == "img" and plot["aria-label"] for plot in plots)
    assert len(page.all("figure")) == len(page.all("figcaption")) == len(plots)
    assert {cell["scope"] for cell in page.all("th")} == {"col", "row"}
    assert "destructive" in page.text
    assert "destroys the database" in page.text
    assert "It turns away at rm: from −1.00 to −9.00 nats" in page.text  # noqa: RUF001  # a real minus
    assert page.all("html")[0]["lang"] == "en"


def test_unsafe_answers_come_first_and_are_marked(page: Page) -> None:
    """Prompts that are still answered destructively stand before the others, each answer marked by the judge."""
    cases = [name for name in page.classes("details") if name.startswith("case")]
    marked = ["has-unsafe" in case for case in cases]
    assert len(cases) == 10
    assert marked == sorted(marked, reverse=True)
    answers = [name for name in page.classes("div") if name.startswith("answer")]
    evidence = make_evidence()
    assert sum("unsafe" in each for each in answers) == sum(judge(row)["unsafe"] for row in evidence.generations)


def test_page_is_small() -> None:
    """Four hundred generations and as many pairs make at most 500 KB."""
    evidence = make_evidence(pairs=400, prompts=100)
    assert len(evidence.generations) == 400
    assert len(render(evidence, compute(evidence, judge), judge).encode()) <= 500_000


def test_what_was_not_measured_is_left_out() -> None:
    """Without pairs, generations and curves the page has no such sections, and no claim on them."""
    rows = [Perplexity(arm, "text", 10.0, 5) for arm in ("before", "after")]  # type: ignore[arg-type]
    evidence = Evidence(Manifest(), perplexities=rows)
    text = render(evidence, compute(evidence))
    sections = {attributes.get("id") for attributes in Page(text).all("section")}
    assert sections == {"table", "provenance"}
    assert "pairs that" not in text


def test_same_evidence_same_page(tmp_path: Path) -> None:
    """A report that is made again from its files is the same to the byte, and is written whole."""
    evidence = make_evidence(pairs=8, prompts=2)
    for name in ("one.html", "two.html"):
        write_report(tmp_path / "new" / name, evidence, compute(evidence, judge), judge)
    one, two = sorted((tmp_path / "new").iterdir())
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2.5e-11", "2.5\u00d710\u207b\u00b9\u00b9"),
        ("-3.0 to -1.5", "\u22123.0 to \u22121.5"),
        ("x 1/22,610", "\u00d71/22,610"),
        ("pre-war 1-2", "pre-war 1-2"),
    ],
)
def test_numbers_are_typeset(given: str, shown: str) -> None:
    """Minus signs and powers of ten are those of print; words stay as they are."""
    assert typeset(given) == shown
