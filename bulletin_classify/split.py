"""Split (being built)."""

from __future__ import annotations

from .records import Article


def split_page(page: str) -> list[Article]:
    """Find the articles of a page."""
    return [Article("", page)]
