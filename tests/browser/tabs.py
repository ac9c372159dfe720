"""Tabs as a reader has them, in front or behind. (To Playwright each of its pages is in front.)"""

from __future__ import annotations

import itertools
import json
from typing import Any

from playwright.sync_api import Browser

from tests.servers import wait_for

OPEN = """[...document.querySelectorAll('[hx-sse\\\\:connect]')].filter(e => e._htmx?.sse).length"""
"""How many streams a page holds."""


class Tabs:
    """The tabs of one window, by the DevTools protocol; `cookies` are a guest's."""

    def __init__(self, browser: Browser, base_url: str, cookies: dict[str, str]) -> None:
        self.devtools = browser.new_browser_cdp_session()
        self.said: list[dict[str, Any]] = []
        self.devtools.on(
            "Target.receivedMessageFromTarget",
            lambda event: self.said.append(json.loads(event["message"])),
        )
        self.base_url, self.numbers = base_url, itertools.count(1)
        self.window = self.devtools.send("Target.createBrowserContext")["browserContextId"]
        made = [{"name": n, "value": v, "url": base_url} for n, v in cookies.items()]
        self.devtools.send("Storage.setCookies", {"cookies": made, "browserContextId": self.window})

    def close(self) -> None:
        self.devtools.send("Target.disposeBrowserContext", {"browserContextId": self.window})
        self.devtools.detach()

    def open(self, path: str, behind: bool = False) -> Tab:
        asked = {"url": self.base_url + path, "browserContextId": self.window, "background": behind}
        return Tab(self, self.devtools.send("Target.createTarget", asked)["targetId"])


class Tab:
    def __init__(self, tabs: Tabs, target: str) -> None:
        self.tabs, self.target = tabs, target
        asked = {"targetId": target, "flatten": False}
        self.session = tabs.devtools.send("Target.attachToTarget", asked)["sessionId"]
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def show(self) -> None:
        """Bring it to the front; what was there goes behind."""
        self.tabs.devtools.send("Target.activateTarget", {"targetId": self.target})

    def ask(self, expression: str) -> Any:
        """The value of an expression, or of the promise that it gives."""
        number = next(self.tabs.numbers)
        params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        call = {"id": number, "method": "Runtime.evaluate", "params": params}
        sent = {"sessionId": self.session, "message": json.dumps(call)}
        self.tabs.devtools.send("Target.sendMessageToTarget", sent)

        def answered() -> bool:
            self.tabs.devtools.send("Target.getTargets")  # lets events come
            return any(message.get("id") == number for message in self.tabs.said)

        wait_for(f"an answer to {expression}", answered, 20)
        answer = next(message for message in self.tabs.said if message.get("id") == number)
        result = answer.get("result", {})  # none where the page was left meanwhile
        assert "exceptionDetails" not in result, answer
        return result.get("result", {}).get("value")

    def wait_for(self, expression: str, seconds: float = 20) -> None:
        wait_for(expression, lambda: self.ask(f"Boolean({expression})"), seconds)

    @property
    def streams(self) -> int:
        return int(self.ask(OPEN))
