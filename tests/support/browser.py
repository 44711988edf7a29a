"""Pages as a real browser shows them: Chromium, asked through its debugging pipe.

The protocol (https://chromedevtools.github.io/devtools-protocol) speaks JSON with a zero byte after
each message, over two pipes: nothing listens on a port and no library is needed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.chromium import find_or_unpack

if TYPE_CHECKING:
    from types import TracebackType

OPTIONS = (
    "--headless",
    "--no-sandbox",  # tests run as root in containers, and show only pages of ours
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-pipe",
)
STOP_SECONDS = 10.0

_AS_THREE_AND_FOUR = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads commands from descriptor 3 and writes answers to 4."""

PROBLEMS = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}


@dataclass(frozen=True)
class Window:
    """How a page is looked at: pixels, by day or by night, on a screen or on paper."""

    width: int = 1280
    height: int = 900
    is_dark: bool = False
    media: str = "screen"
    scripts: bool = True


class Page:
    """One page in one window."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.problems: list[str] = []
        """What the browser complained about: console, policy, exceptions."""
        self.requests: list[str] = []
        """Addresses it asked for, the page's own left out."""

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - any JSON
        """Return the value of a JavaScript expression in the page."""
        answer = self._send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a picture."""
        answer = self._send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def show(self, address: str, window: Window) -> None:
        """Load a page and wait until it is drawn."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")
        self._send(
            "Emulation.setDeviceMetricsOverride",
            width=window.width,
            height=window.height,
            deviceScaleFactor=1,
            mobile=window.width < window.height,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if window.is_dark else "light"}
        self._send("Emulation.setEmulatedMedia", media=window.media, features=[scheme])
        self._send("Emulation.setScriptExecutionDisabled", value=not window.scripts)
        self._send("Page.navigate", url=address)
        self._browser.wait_for(self._session, "Page.loadEventFired")
        self._collect(address)

    def _collect(self, address: str) -> None:
        for event in self._browser.events(self._session):
            if event["method"] in PROBLEMS:
                self.problems.append(json.dumps(event["params"]))
            elif event["method"] == "Network.requestWillBeSent":
                asked = event["params"]["request"]["url"]
                if asked != address and not asked.startswith("data:"):
                    self.requests.append(asked)

    def _send(self, method: str, **parameters: object) -> dict[str, Any]:
        return self._browser.send(method, parameters, self._session)


class Browser:
    """One browser with a profile of its own; a context manager."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="qwen3-browser-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._events: list[dict[str, Any]] = []
        self._rest = b""
        self._last = 0

    def __enter__(self) -> Self:
        chromium = find_or_unpack()
        theirs_in, self._commands = os.pipe()
        self._answers, theirs_out = os.pipe()
        profile = f"--user-data-dir={self._folder}"
        start = [sys.executable, "-c", _AS_THREE_AND_FOUR, str(theirs_in), str(theirs_out)]
        self._process = subprocess.Popen(
            [*start, str(chromium.program), *OPTIONS, profile],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **chromium.environment},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._write({"id": 0, "method": "Browser.close"})
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def open(self, address: str, window: Window) -> Page:
        """Show a page in a window of its own."""
        context = self.send("Target.createBrowserContext", {})["browserContextId"]
        target = self.send(
            "Target.createTarget", {"url": "about:blank", "browserContextId": context}
        )["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, session["sessionId"])
        page.show(address, window)
        return page

    def send(
        self, method: str, parameters: dict[str, object], session: str | None = None
    ) -> dict[str, Any]:
        """Give a command and return its answer.

        Raises:
            AssertionError: the browser refuses it; the text is its own.
        """
        self._last += 1
        command = {"id": self._last, "method": method, "params": parameters}
        self._write(command | ({"sessionId": session} if session else {}))
        while (message := self._read()).get("id") != self._last:
            self._events.append(message)
        assert "error" not in message, f"{method}: {message['error']}"
        result: dict[str, Any] = message["result"]
        return result

    def wait_for(self, session: str, method: str) -> None:
        """Wait for an event; it and those before it can be read afterwards."""
        while not any(event["method"] == method for event in self.events(session)):
            self._events.append(self._read())

    def events(self, session: str) -> list[dict[str, Any]]:
        """Return the events of a session so far."""
        return [event for event in self._events if event.get("sessionId") == session]

    def _write(self, message: dict[str, Any]) -> None:
        os.write(self._commands, json.dumps(message).encode() + b"\0")

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._answers, 1 << 20)
            assert read, f"the browser has gone, status {self._process.poll()}"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found
