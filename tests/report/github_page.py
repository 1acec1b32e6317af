"""A comment as GitHub would show it: Markdown to HTML by markdown-it, in a page with a style like GitHub's.

What GitHub adds to CommonMark and this uses is here: tables, alerts (`> [!NOTE]`), and colours for the lines of a diff.
"""

import re
from html import escape

from markdown_it import MarkdownIt

_ALERT = re.compile(r"<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|CAUTION)\]\s*(.*?)</blockquote>", re.DOTALL)
_DIFF = {"+": "ins", "-": "del", "!": "mark", "#": "note", "@": "hunk"}
_STYLE = """
body { margin: 0; padding: 16px; background: #f6f8fa; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica,
  Arial, sans-serif; color: #1f2328; }
.comment { max-width: 840px; margin: auto; background: #fff; border: 1px solid #d1d9e0; border-radius: 6px; }
.who { padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0;
  color: #59636e; }
.who b { color: #1f2328; } .who span { border: 1px solid #d1d9e0; border-radius: 1em; padding: 0 6px; font-size: 12px; }
.body { padding: 16px; overflow-wrap: break-word; } .body > :first-child { margin-top: 0; }
h2 { font-size: 1.5em; padding-bottom: .3em; border-bottom: 1px solid #d1d9e0b3; margin: 24px 0 16px;
  line-height: 1.25; }
h3 { font-size: 1.25em; margin: 24px 0 16px; } h4 { font-size: 1em; margin: 24px 0 16px; line-height: 1.25; }
p, table, details, blockquote, .alert { margin: 0 0 16px; } a { color: #0969da; }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto; }
th, td { border: 1px solid #d1d9e0; padding: 6px 13px; } tr:nth-child(2n) td { background: #f6f8fa; }
code { font-family: ui-monospace, Menlo, "DejaVu Sans Mono", monospace; font-size: 85%; background: #818b981f;
  border-radius: 6px; padding: .2em .4em; white-space: break-spaces; }
pre { background: #f6f8fa; border-radius: 6px; padding: 16px; overflow: auto; margin: 0 0 16px; }
pre code { background: none; padding: 0; white-space: pre; }
ul { padding-left: 2em; margin: 0 0 16px; } summary { cursor: pointer; }
.alert { border-left: .25em solid; padding: .5em 1em; } .alert p { color: #1f2328; margin: 0; }
.alert b.label { display: block; } .alert.NOTE { color: #0969da; } .alert.TIP { color: #1a7f37; }
.alert.IMPORTANT { color: #8250df; } .alert.CAUTION { color: #cf222e; }
.ins { color: #116329; background: #dafbe1; } .del { color: #82071e; background: #ffebe9; }
.mark { color: #953800; background: #ffd8b5; } .note { color: #59636e; } .hunk { color: #8250df; font-weight: bold; }
"""


def github_page(markdown: str) -> str:
    """Return a page that shows a comment."""
    parser = MarkdownIt("commonmark", {"html": True, "highlight": _coloured}).enable(["table", "strikethrough"])
    body = _ALERT.sub(_alert, parser.render(markdown))
    who = "<div class=who><b>github-actions</b> <span>bot</span> commented</div>"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Comment</title><style>{_STYLE}</style>"
        f"<div class=comment>{who}<div class=body>{body}</div></div></html>"
    )


def _alert(found: re.Match[str]) -> str:
    name, rest = found.groups()
    return f'<div class="alert {name}"><b class=label>{name.title()}</b><p>{rest}</div>'


def _coloured(text: str, language: str, _attributes: str) -> str:
    """Colour the lines of a diff by how they begin."""
    assert language == "diff"
    return "".join(
        f'<span class="{_DIFF.get(line[:1], "same")}">{escape(line, quote=False)}</span>'
        for line in text.splitlines(keepends=True)
    )
