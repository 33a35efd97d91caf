"""A watched run told to a person or a program: text, HTML and JSON, all from the run alone."""

from limen.report.html import html
from limen.report.text import plain, rich_text
from limen.report.to_json import to_json
from limen.report.write import check_writable, write_html, write_json

__all__ = ["check_writable", "html", "plain", "rich_text", "to_json", "write_html", "write_json"]
