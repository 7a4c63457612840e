"""The pages beside Airflow, on loopback: Data Docs, dbt's documentation, and the runbooks.

Plain files of the lake and of the project, served as long as the block runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from html import escape
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lakehouse.settings import PROJECT, Settings

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 3rem auto }}
table {{ border-collapse: collapse }} td, th {{ border: 1px solid #ccc; padding: .3rem .6rem }}
th, td {{ text-align: left }} code {{ background: #f2f2f2; padding: 0 .2rem }}
</style><body>{body}</body></html>"""


def folders(settings: Settings) -> dict[str, Path]:
    """What is served, by the first part of its path."""
    return {
        "data_docs": settings.home / "data_docs",
        "dbt": settings.home / "dbt" / "docs",
        "runbooks": PROJECT / "docs" / "runbooks",
    }


TITLES = {
    "data_docs": ("Data Docs", "what was expected of the data, and what was found"),
    "dbt": ("dbt docs", "models, columns, tests and lineage"),
    "runbooks": ("Runbooks", "what to do when an alert came"),
}


@contextmanager
def serving(settings: Settings, port: int = 0) -> Iterator[str]:
    """Serve the pages on a port of loopback while the block runs; the block gets the address."""
    handler = partial(_Handler, roots=folders(settings))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, roots: Mapping[str, Path]) -> None:
        self.roots = roots
        super().__init__(*args)  # type: ignore[arg-type]  # as the server calls it

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if self._first() == "":
            self._say(_page("Nova Corrente", _index(self.roots)))
        elif self.path.endswith("/") and (path / "README.md").exists():
            self._say(_markdown(path / "README.md"))
        elif path.suffix == ".md" and path.is_file():
            self._say(_markdown(path))
        else:
            super().do_GET()

    def translate_path(self, path: str) -> str:
        """The file of a path; one that leads out of its folder, or to none, leads nowhere."""
        parts = unquote(urlsplit(path).path).strip("/").split("/")
        root = self.roots.get(parts[0])
        if root is None:
            return "/nonexistent"
        file = root.joinpath(*parts[1:]).resolve()
        return str(file) if file.is_relative_to(root.resolve()) else "/nonexistent"

    def list_directory(self, path: object) -> None:
        self.send_error(HTTPStatus.NOT_FOUND, f"no page in {path}")

    def log_message(self, *_: object) -> None:
        """Nobody reads who looked at which page."""

    def _first(self) -> str:
        return urlsplit(self.path).path.strip("/").split("/")[0]

    def _say(self, text: str) -> None:
        body = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _index(roots: Mapping[str, Path]) -> str:
    lines = []
    for name, root in roots.items():
        title, about = TITLES[name]
        is_there = root.is_dir() and any(root.iterdir())
        link = f'<a href="/{name}/">{title}</a>' if is_there else f"{title} (not made yet)"
        lines.append(f"<li>{link}: {about}</li>")
    return f"<h1>Nova Corrente</h1><ul>{''.join(lines)}</ul>"


def _markdown(path: Path) -> str:
    from markdown_it import MarkdownIt

    text = path.read_text("utf8")
    return _page(path.stem, MarkdownIt("commonmark").enable("table").render(text))


def _page(title: str, body: str) -> str:
    return PAGE.format(title=escape(title), body=body)
