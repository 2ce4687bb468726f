"""How the documentation is built."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from from_code import FromCode
from pygments.lexers.special import TextLexer

import bide

project = "Bide"
author = "The Bide developers"
version = release = bide.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Bide"
exclude_patterns = ["_build", "decisions/000-template.md"]
suppress_warnings = ["toc.empty_glob"]
nitpicky = True


def setup(app):
    app.add_directive("from-code", FromCode)
    app.add_lexer("mermaid", TextLexer)  # drawn where Markdown is shown as such, text here
