"""How Sphinx builds the documentation: Markdown pages beside this file, `api.md` from the docstrings.

Nothing is fetched, neither while building nor while reading. Mermaid diagrams stay text here; a forge draws
them where it shows the same pages.
"""

from __future__ import annotations

from importlib.metadata import version as version_of

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "omniorder"
author = "the omniorder authors"
project_copyright = "2026, the omniorder authors"
version = release = version_of("omniorder")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
default_role = "code"  # docstrings write `name`, as Markdown does

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_class_signature = "separated"

html_theme = "furo"
html_title = f"omniorder {release}"


def keep_drawings(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Show what a docstring indents by four, such as the tree of errors, as it is drawn."""
    drawn = False
    for number, line in reversed(list(enumerate(lines))):
        indented = line.startswith("    ")
        opens = bool(line) and not indented and not line.startswith((".. ", ":", "- ")) and not line.endswith("::")
        if drawn and opens and not lines[number + 1]:
            lines[number + 1 : number + 1] = ["", "::"]
        drawn = indented or (drawn and not line)


def setup(app: Sphinx) -> None:
    app.add_lexer("mermaid", TextLexer)
    app.connect("autodoc-process-docstring", keep_drawings)
