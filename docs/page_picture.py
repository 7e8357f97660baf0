"""Have a conversation on the page of `buddy serve`, in a real browser, and keep a picture of it: docs/images/page.png.

python docs/page_picture.py
"""

import shutil
import socket
import threading
import time
from pathlib import Path

import uvicorn
from playwright.sync_api import sync_playwright

from buddy.serving.app import create_app
from buddy.serving.service_settings import ServiceSettings

MESSAGES = (
    "My best friend moved away last week. The flat is so quiet now.",
    "I finally got the job I was hoping for!",
    "My exam is tomorrow and I can't sleep.",
)
OUT = Path(__file__).parent / "images" / "page.png"


def main() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = create_app(ServiceSettings(country="US"))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        threading.Thread(target=server.run, args=[[listening]], daemon=True).start()
        while not server.started:
            time.sleep(0.05)
        talk(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server.should_exit = True


def talk(address: str) -> None:
    """Say the messages, open the emotions of the first one and take the picture."""
    with sync_playwright() as driver:
        path = shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 830})
        page.goto(address)
        for message in MESSAGES:
            page.get_by_test_id("input").fill(message)
            page.keyboard.press("Enter")
            page.get_by_test_id("stop").wait_for(state="visible")
            page.get_by_test_id("send").wait_for(state="visible")
        page.get_by_test_id("emotion-chip").last.click()
        page.wait_for_timeout(2000)  # for the bars to have grown
        page.screenshot(path=OUT)
        browser.close()


if __name__ == "__main__":
    main()
