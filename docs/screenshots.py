"""`make screenshots`: renew the pictures under docs/images from a lake that has run.

A headless Chromium, spoken to by its own protocol, looks at what `lakehouse ui` serves.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from websockets.sync.client import connect

from lakehouse import settings as lakehouse_settings
from lakehouse.orchestration import airflow, pages
from lakehouse.orchestration.airflow_home import Airflow
from lakehouse.settings import PROJECT

UNFOLDED = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
PIXELS = """(async () => {
    const picture = await createImageBitmap(await (await fetch("data:image/png;base64,%s")).blob());
    const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, picture.width, picture.height);
    return btoa(Array.from(data, byte => String.fromCharCode(byte)).join(""));
})()"""
IMAGES = PROJECT / "docs" / "images"
NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZE: dict[str, Any] = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
AS_A_GRAPH = "localStorage.setItem('default_dag_view', JSON.stringify('graph'))"
MOST_BYTES = 120_000
PATIENCE_S = 60.0
MART = "rpt_reorder_recommendations"
DAILY = "/api/v2/dags/nova_corrente_daily/dagRuns?order_by=-run_after&state=success&limit=1"


def main() -> int:
    """Take every picture, or say what is missing."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        sys.stderr.write("no Chromium here: install it (Debian: apt install chromium)\n")
        return 1
    settings = lakehouse_settings.load()
    with (
        airflow.running(settings) as alive,
        pages.serving(settings, alive().pages_port),
        _browser(browser) as page,
    ):
        token = _token(alive())
        page.call("Emulation.setDeviceMetricsOverride", **SIZE)
        page.call("Page.addScriptToEvaluateOnNewDocument", source=AS_A_GRAPH)
        page.call("Network.setCookie", name="_token", value=token, url=alive().url)
        for name, (address, awaited) in _pictures(alive(), token).items():
            picture = page.picture(address, awaited)
            if len(picture) > MOST_BYTES:
                sys.stderr.write(f"{name}.png has {len(picture):,} bytes, more than is kept\n")
                return 1
            (IMAGES / f"{name}.png").write_bytes(picture)
            sys.stdout.write(f"docs/images/{name}.png {len(picture):,} bytes\n")
    return 0


def _pictures(up: Airflow, token: str) -> dict[str, tuple[str, str]]:
    """Where each picture is taken, and the words without which its page is not ready."""
    runs = _ask(up, "GET", DAILY, token)["dag_runs"]
    if not runs:
        sys.exit("no green run of nova_corrente_daily to show: trigger one in `make airflow`")
    run = runs[0]["dag_run_id"]
    model = f"model.nova_corrente.{MART}?g_v=1&g_i=1%2B{MART}"
    return {
        "airflow": (f"{up.url}/dags/nova_corrente_daily/runs/{run}", "publish"),
        "dbt-docs": (f"{up.pages_url}/dbt/#!/model/{model}", ""),
        "data-docs": (f"{up.pages_url}/data_docs/{_newest(up)}", "expect"),
    }


def _newest(up: Airflow) -> str:
    """The Data Docs of the newest run, which their first page names first."""
    index = up.home.parent / "data_docs" / "index.html"
    found = re.search(r'href="([^"]+[.]html)"', index.read_text("utf8") if index.exists() else "")
    if found is None:
        sys.exit("no Data Docs to show: `make run` builds them")
    return found[1]


def _small_png(pixels: bytes) -> bytes:
    """A picture of at most 256 colours, which a page rarely has more of: a third of the bytes."""
    width, height = SIZE["width"], SIZE["height"]
    colours = np.frombuffer(pixels, np.uint8).reshape(-1, 4)[:, :3].astype(np.int64)
    shades = (colours >> 4) @ (256, 16, 1)
    counts = np.bincount(shades, minlength=4096)
    sums = [np.bincount(shades, colours[:, each], 4096) for each in range(3)]
    means = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]
    kept = np.argsort(counts)[::-1][:256]
    nearest = ((means[:, None, :] - means[None, kept, :]) ** 2).sum(axis=2).argmin(axis=1)
    rows = nearest[shades].astype(np.uint8).reshape(height, width)
    unfiltered = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()
    palette = means[kept].round().astype(np.uint8).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = {
        b"IHDR": header,
        b"PLTE": palette,
        b"IDAT": zlib.compress(unfiltered, 9),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks.items()
    )


def _token(up: Airflow) -> str:
    password = json.loads(up.passwords.read_text("utf8"))["admin"]
    body = {"username": "admin", "password": password}
    return str(_ask(up, "POST", "/auth/token", "", body)["access_token"])


def _ask(up: Airflow, method: str, path: str, token: str, body: Any = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return found


class _Page:
    """One tab, by the DevTools protocol."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.calls = 0

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        self.calls += 1
        self.socket.send(json.dumps({"id": self.calls, "method": method, "params": arguments}))
        while True:
            answer = json.loads(self.socket.recv(timeout=PATIENCE_S))
            if answer.get("id") == self.calls:
                result: dict[str, Any] = answer["result"]
                return result

    def picture(self, address: str, awaited: str) -> bytes:
        self.call("Page.navigate", url=address)
        until = time.monotonic() + PATIENCE_S
        while awaited not in self._text():
            if time.monotonic() > until:
                sys.exit(f"{address} never said {awaited!r}")
            time.sleep(0.5)
        self.call("Runtime.evaluate", expression=UNFOLDED)
        time.sleep(5)  # what is drawn after the words: graphs, transitions
        shot = self.call("Page.captureScreenshot", format="png")
        self.call("Page.navigate", url="about:blank")
        asked = PIXELS % shot["data"]
        pixels = self.call("Runtime.evaluate", expression=asked, awaitPromise=True)
        return _small_png(base64.b64decode(pixels["result"]["value"]))

    def _text(self) -> str:
        asked = self.call("Runtime.evaluate", expression="document.body.innerText")
        return str(asked["result"].get("value", ""))


@contextmanager
def _browser(executable: str) -> Iterator[_Page]:
    with tempfile.TemporaryDirectory(prefix="browser-") as folder:
        command = [
            *(executable, "--headless=new", "--remote-debugging-port=0", "--hide-scrollbars"),
            f"--user-data-dir={folder}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # which root cannot have
            "about:blank",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = _port(Path(folder, "DevToolsActivePort"))
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/json/list")
            tabs = json.loads(connection.getresponse().read())
            tab = next(each for each in tabs if each["type"] == "page")
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as socket:
                yield _Page(socket)
        finally:
            process.terminate()
            process.wait(30)


def _port(file: Path) -> int:
    until = time.monotonic() + PATIENCE_S
    while not file.exists() or "\n" not in file.read_text():
        if time.monotonic() > until:
            sys.exit("the browser did not start")
        time.sleep(0.1)
    return int(file.read_text().splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
