"""The page in a real browser: Debian's Chromium, or the one that Playwright installs, against the real service."""

import json
import re
import shutil
import time
from collections.abc import Iterator

import pytest

from buddy.serving.service_settings import ServiceSettings, digest
from tests.serving.conftest import KEYS
from tests.serving.servers import Served, served

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

CAT = "I lost my cat last week and I miss her so much."
PIECE_SECONDS = 0.6
DESK = {"width": 1100, "height": 800}


def launch(driver):
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        return driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
    except playwright.Error as error:
        pytest.skip(f"no browser here: {error.message.splitlines()[0]}")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = launch(driver)
        yield browser
        browser.close()


@pytest.fixture
def slow_service() -> Iterator[Served]:
    """The service whose words come one after the other, so that a test can see them come."""
    from buddy.companion.reply import as_it_comes

    with pytest.MonkeyPatch.context() as patch:

        def slowly(*arguments):
            for piece in as_it_comes(*arguments):
                time.sleep(PIECE_SECONDS)
                yield piece

        patch.setattr("buddy.companion.buddy.as_it_comes", slowly)
        with served(ServiceSettings(country="US")) as service:
            yield service


@pytest.fixture
def problems():
    return []


@pytest.fixture
def page(browser, open_service, problems):
    """The page, just opened on a desk; what its console complains of is a failure."""
    yield from opened(browser, open_service.url, problems, viewport=DESK)


@pytest.fixture
def slow_page(browser, slow_service, problems):
    """The same, of the slow service."""
    yield from opened(browser, slow_service.url, problems, viewport=DESK)


def opened(browser, url, problems, **options):
    context = browser.new_context(**options)
    page = context.new_page()
    page.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(url)
    expect(page.get_by_test_id("input")).to_be_visible()
    yield page
    context.close()
    assert problems == []


def say(page, text, wait=True):
    page.get_by_test_id("input").fill(text)
    page.keyboard.press("Enter")
    if wait:
        expect(page.get_by_test_id("send")).to_be_visible(timeout=20_000)


def test_words_stream_beside_the_emotion_and_the_mood_line_grows(slow_page):
    page = slow_page
    say(page, CAT, wait=False)
    reply = page.get_by_test_id("message-buddy").last
    expect(page.get_by_test_id("stop")).to_be_visible()
    expect(page.get_by_test_id("emotion-chip").first).to_have_text(re.compile("sad|devastated"))
    lengths = set()
    deadline = time.monotonic() + 15
    while page.get_by_test_id("stop").is_visible() and time.monotonic() < deadline:
        lengths.add(len(reply.inner_text()))
    assert len(lengths) > 2  # it was seen growing
    expect(page.get_by_test_id("send")).to_be_visible()
    chip, bars = page.get_by_test_id("emotion-chip").first, page.get_by_test_id("emotion-bars").first
    chip.click()
    expect(bars).to_be_visible()
    assert bars.inner_text().count("%") == 3
    say(page, "My sister came and we laughed all evening, it was wonderful.")
    expect(page.locator(".mood-point")).to_have_count(2)
    expect(page.get_by_test_id("mood-line")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text(re.compile(r"\w"))


def test_a_reply_can_be_stopped(slow_page):
    page = slow_page
    say(page, CAT, wait=False)
    expect(page.get_by_test_id("message-buddy").last).to_contain_text(re.compile(r"\w+ \w+"))
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("send")).to_be_visible()
    expect(page.get_by_test_id("message-buddy").last).to_contain_text("stopped")
    say(page, "How do I feel?")
    expect(page.get_by_test_id("message-buddy").last).to_contain_text(re.compile("sad|devastated"))


def test_in_a_crisis_the_card_with_numbers_stays(page):
    say(page, "I want to kill myself")
    card = page.get_by_test_id("crisis-card")
    expect(card).to_be_visible()
    assert card.locator("a[href='tel:988']").count() >= 1
    expect(page.get_by_test_id("message-buddy").last).to_contain_text("988")
    say(page, "I took a walk in the park.")
    expect(card).to_be_visible()


def test_a_browser_without_url_can_parse_shows_the_crisis_reply(browser, open_service, problems):
    """As Safari 16, Chrome 119 and Firefox 114."""
    for page in opened(browser, open_service.url, problems, viewport=DESK):
        page.add_init_script("delete URL.canParse")
        page.reload()
        say(page, "I want to kill myself")
        expect(page.get_by_test_id("message-buddy")).to_contain_text("988")
        expect(page.locator("#crisis-lines a[target]").first).to_be_visible()
        page.reload()
        expect(page.get_by_test_id("message-buddy")).to_contain_text("988")


def test_a_fault_in_the_crisis_card_does_not_cost_the_reply(page, problems):
    answer_with(page, [line("Wrong", 988)])
    say(page, "I want to kill myself")
    expect(page.get_by_test_id("message-buddy")).to_contain_text("Please call.")
    expect(page.locator(".is-failed, #banner:not([hidden])")).to_have_count(0)
    expect(page.locator("#crisis-now a[href='tel:112']")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("message-buddy")).to_contain_text("Please call.")
    expect(page.get_by_test_id("export")).to_be_enabled()  # the page went on behind the card
    assert problems
    page.goto("about:blank")  # nothing more is reported behind what is taken out here
    problems[:] = [text for text in problems if "is not a function" not in text]


DAILY = "daily, 9 to 24"
ALWAYS = "day and night"


@pytest.mark.parametrize(
    ("lines", "short"),
    [
        ([("Amico", "02 2327", DAILY)], "Talk: 02 2327 (daily, 9 to 24) · Danger: 112"),
        (
            [("Amico", "02 2327", DAILY), ("Azzurro (young people)", "19696", ALWAYS)],
            "Talk: 02 2327 (daily, 9 to 24) · Talk: 19696 (young people) · Danger: 112",
        ),
        ([("Lifeline", "988", ALWAYS), ("Other", "123", ALWAYS)], "Talk: 988 · Danger: 112"),
        ([("Directory", "", "")], "Danger: 112"),
    ],
)
def test_the_crisis_card_tells_when_its_lines_are_open(page, lines, short):
    answer_with(page, [line(*each) for each in lines])
    say(page, "I want to kill myself")
    expect(page.locator("#crisis-short")).to_have_text(short)
    for at, (name, _, hours) in enumerate(lines):
        expect(page.locator("#crisis-lines li").nth(at)).to_contain_text(name)
        expect(page.locator("#crisis-lines li").nth(at)).to_contain_text(hours)


def line(name, number, hours=""):
    return {"name": name, "number": number, "text": "", "url": "https://example.org", "hours": hours}


def answer_with(page, lines):
    """Answer every message of the page with a crisis reply and these lines."""
    safety = {"level": "alarm", "category": "self-harm", "resources": lines, "emergency": "112"}
    events = [
        {"buddy": {"kind": "crisis", "emotion": None, "safety": safety}, "choices": []},
        {"choices": [{"delta": {"content": "Please call."}, "finish_reason": "stop"}]},
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    page.route("**/v1/chat/completions", lambda route: route.fulfill(content_type="text/event-stream", body=body))


def test_what_is_written_is_text_and_never_html(page):
    say(page, "<img src=x onerror=alert(1)><b>hello</b>")
    expect(page.get_by_test_id("message-user").last).to_contain_text("<img src=x")
    assert page.locator("#log img, #log b").count() == 0


def test_a_talk_survives_a_reload_and_not_its_erasure(page):
    say(page, CAT)
    page.reload()
    expect(page.get_by_test_id("message-user")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_test_id("export").click()
    assert json.loads(download.value.path().read_text())["turns"][0]["content"] == CAT
    page.get_by_test_id("erase").click()
    page.locator("#erase-yes").click()
    expect(page.get_by_test_id("message-user")).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0
    page.reload()
    expect(page.get_by_test_id("message-user")).to_have_count(0)


def test_the_page_does_not_promise_that_a_closed_tab_forgets(page):
    """A browser brings the talk back when it opens the tab again, and copies it with the tab."""
    expect(page.locator("#privacy")).to_contain_text("erase it before others use this computer")
    expect(page.locator("#privacy")).not_to_contain_text("close")


def test_the_keyboard_is_enough(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.type("First line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    assert page.get_by_test_id("input").input_value() == "First line\nsecond line"
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("message-buddy")).to_have_count(1)


def test_a_long_talk_goes_on(page):
    turns = [{"role": role, "content": "ab " * 1_000, "at": ""} for role in ("user", "assistant") * 10]
    restore(page, turns)
    say(page, CAT)
    expect(page.get_by_test_id("message-buddy")).to_have_count(11)
    expect(page.locator(".is-failed")).to_have_count(0)


def test_long_messages_that_got_lost_go_along_with_the_next(page):
    restore(page, [{"role": "user", "content": f"{n} " * 3_000, "at": "", "failed": "lost"} for n in (1, 2)])
    with page.expect_request("**/v1/chat/completions") as sent:
        say(page, CAT)
    assert [message["content"][:5] for message in sent.value.post_data_json["messages"]] == ["1 1 1", "2 2 2", CAT[:5]]
    expect(page.get_by_test_id("message-buddy")).to_have_count(1)


def restore(page, turns):
    page.evaluate("talk => sessionStorage.setItem('buddy.talk', JSON.stringify(talk))", {"turns": turns})
    page.reload()
    expect(page.get_by_test_id("message-user").last).to_be_visible()


def test_a_message_that_is_too_long_is_kept_whole_and_not_sent(page):
    box, complaint = page.get_by_test_id("input"), page.locator("#too-long")
    box.focus()
    page.keyboard.insert_text("x" * 10_001)
    expect(complaint).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#announcer")).to_contain_text("Too long")
    assert box.input_value() == "x" * 10_001
    expect(page.get_by_test_id("message-user")).to_have_count(0)
    page.keyboard.press("Backspace")
    expect(complaint).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("message-buddy")).to_have_count(1)


def test_dark_and_light_are_told_apart_and_kept(page):
    def background():
        return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    light = background()
    page.get_by_test_id("theme").click()
    dark = background()
    assert dark != light
    page.reload()
    expect(page.get_by_test_id("input")).to_be_visible()
    assert background() == dark


def test_on_a_phone_nothing_sticks_out(browser, open_service, problems):
    for page in opened(browser, open_service.url, problems, viewport={"width": 360, "height": 640}, has_touch=True):
        say(page, CAT + " aVeryLongWordThatDoesNotFitOnAPhoneBecauseItHasNoSpaces" * 3)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        expect(page.get_by_test_id("input")).to_be_in_viewport()
        expect(page.get_by_test_id("emotion-chip").first).to_be_visible()


@pytest.mark.parametrize("viewport", [{"width": 320, "height": 256}, {"width": 667, "height": 320}])
def test_where_there_is_little_height_the_emergency_number_stays(browser, open_service, problems, viewport):
    """At 400% zoom, and on a phone that lies on its side."""
    for page in opened(browser, open_service.url, problems, viewport=viewport):
        foot = page.locator(".foot")
        expect(foot).to_have_text(re.compile("not a therapist. In danger[?] Call 911"))
        say(page, "I want to kill myself")
        expect(page.get_by_test_id("crisis-card")).to_be_visible()
        for part in (foot, foot.locator("a").first, page.get_by_test_id("input")):
            expect(part).to_be_in_viewport(ratio=1)
        assert foot.bounding_box()["height"] < 32  # one line


def test_in_huge_letters_the_talk_does_not_cover_what_is_written(browser, open_service, problems):
    for page in opened(browser, open_service.url, problems, viewport={"width": 390, "height": 844}):
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        say(page, "I want to kill myself")
        page.get_by_test_id("input").fill("It is too much. " * 50)
        talk, paper = (page.locator(place).bounding_box() for place in (".talk", ".paper"))
        assert talk["y"] + talk["height"] <= paper["y"]


def test_it_comes_back_when_the_server_does(page, problems):
    page.context.set_offline(True)
    expect(page.locator("#banner")).to_be_visible()
    say(page, CAT)
    expect(page.get_by_test_id("message-user").last).to_contain_text("could not be reached")
    page.context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden(timeout=15_000)
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_test_id("message-buddy")).to_have_count(1, timeout=15_000)
    problems[:] = [text for text in problems if "ERR_INTERNET_DISCONNECTED" not in text]


@pytest.mark.parametrize(("code", "away"), [("busy", False), ("starting", True)])
def test_a_server_that_is_full_is_there(page, problems, code, away):
    page.context.set_offline(True)
    expect(page.locator("#banner")).to_be_visible()
    page.route("**/ready", lambda route: route.fulfill(status=503, json={"error": {"code": code}}))
    page.context.set_offline(False)
    if away:
        expect(page.locator("#banner")).to_contain_text("is still waking up", timeout=15_000)
    else:
        expect(page.locator("#banner")).to_be_hidden(timeout=15_000)
    problems[:] = [text for text in problems if "503" not in text and "ERR_INTERNET_DISCONNECTED" not in text]


def test_a_key_is_asked_for(browser, problems):
    with served(ServiceSettings(keys=(digest(KEYS[0]),))) as service:
        for page in opened(browser, service.url, problems):
            dialog = page.locator("#key-dialog")
            expect(dialog).to_be_visible()
            page.keyboard.type("a-wrong-key-of-somebody")
            page.keyboard.press("Enter")
            say(page, CAT, wait=False)
            expect(dialog).to_contain_text("does not fit")
            page.keyboard.type(KEYS[0])
            page.keyboard.press("Enter")
            expect(page.get_by_test_id("message-buddy").last).to_contain_text(re.compile(r"\w"))
            problems[:] = [text for text in problems if "401" not in text]


def test_the_page_sends_as_many_turns_as_are_read():
    from buddy.companion.buddy import REMEMBERED_TURNS
    from buddy.serving.app import PAGE

    assert f"const SENT_TURNS = {REMEMBERED_TURNS};" in (PAGE / "page.js").read_text()


def test_the_page_is_small_and_asks_nobody_else():
    from buddy.serving.app import PAGE

    files = [path for path in PAGE.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60_000
    for path in files:
        for address in re.findall(r"https?://[^\s\"'<>)]+", path.read_text()):
            assert address.startswith("http://www.w3.org/"), address
