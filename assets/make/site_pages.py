"""Add the pages that are outside docs/ to the site: hooks of mkdocs (see mkdocs.yml).

Links between files of the repository are rewritten to links between pages of the site.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
# Pages by their path in the repository; those in docs/ have the same path in the site.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    **{
        path.relative_to(ROOT).as_posix(): f"models/{path.parent.name}.md"
        for path in sorted(ROOT.glob("assets/models/*/card.md"))
    },
}
PICTURES = {
    path.relative_to(ROOT).as_posix(): f"models/{path.parent.name}/{path.name}"
    for path in sorted(ROOT.glob("assets/models/*/*.png"))
}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages outside docs/, and the pictures of the models' cards."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_relink(text, source, page)))
    for source, picture in PICTURES.items():
        files.append(File.generated(config, picture, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite the links of a page in docs/ to pages outside it."""
    path = page.file.src_uri
    return markdown if path in PAGES.values() else _relink(markdown, f"docs/{path}", path)


def _relink(text: str, source: str, page: str) -> str:
    """Return the text of a page with its links, relative to `source`, made relative to `page`."""

    def target(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        there = (PAGES | PICTURES).get(path, path.removeprefix("docs/"))
        return os.path.relpath(there, posixpath.dirname(page) or ".").replace(os.sep, "/")

    return _LINK.sub(target, text)
