"""The playground as readers meet it: in a browser, from disk and from a server, with and without a mouse."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright: pip install '.[test]'")

from playwright.sync_api import Page, expect

from tests.book.axe import violations_on
from tests.book.browser import CORNERS, look, watched
from tests.coursebook.scripts import in_node

SMALL = "data=moons&noise=0.4&points=20&seed=3&width=6&p=0,0.5&pause=12"

pytestmark = pytest.mark.book


class Player:
    """Somebody with the playground before them."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def open(self, state=""):
        self.page.goto("about:blank")  # else a new state of the same page would load nothing
        self.page.goto(f"{self.address}/playground.html#{state}")
        self.wait()

    def wait(self):
        """Until training has paused and everything is drawn."""
        expect(self.page.locator("form.playground")).to_have_attribute("data-state", "idle")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def part(self, name):
        return self.page.locator(f'[data-play="{name}"]')

    def readings(self):
        return [self.part(name).text_content() for name in ("epoch", "train-loss", "test-loss")]

    def table(self):
        return self.page.locator(".play-scores tbody").inner_text()

    def state(self):
        return unquote(self.page.url.partition("#")[2])


@contextmanager
def playing(browser, address, **options) -> Iterator[Player]:
    with watched(browser, address, **options) as context:
        yield Player(context.new_page(), address)


@pytest.fixture(params=["file", "http"])
def anywhere(request, browser, addresses):
    """The book from disk, and from a server."""
    with playing(browser, addresses[request.param]) as player:
        yield player


@pytest.fixture
def player(browser, addresses):
    with playing(browser, addresses["file"]) as player:
        yield player


def losses(state, epoch):
    """What a run of this state gives outside the page."""
    code = """const t = new c.Trainer(c.read(data.state).settings);
    for (let i = 0; i < data.epoch; i++) t.step();
    return [t.losses.train[data.epoch], t.losses.test[data.epoch]];"""
    return [f"{loss:.3f}" for loss in in_node("playground", code, {"state": state, "epoch": epoch})]


def colours_in(canvas):
    """How many different colours a canvas shows."""
    code = """(canvas) => {
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(new Uint32Array(data.buffer)).size;
    }"""
    return canvas.evaluate(code)


# Training


def test_one_epoch_is_one_epoch_with_the_numbers_of_the_core(anywhere):
    anywhere.open(SMALL)
    assert anywhere.readings() == ["0", *losses(SMALL, 0)]
    for epoch in (1, 2):
        anywhere.press("One epoch")
        anywhere.wait()
        assert anywhere.readings() == [str(epoch), *losses(SMALL, epoch)]


def test_training_pauses_by_itself_and_an_address_gives_one_run(anywhere):
    seen = []
    for _ in range(2):
        anywhere.open(SMALL)
        anywhere.press("Train")
        anywhere.wait()
        expect(anywhere.part("run")).to_have_text("Train")
        seen.append((anywhere.readings(), anywhere.table(), anywhere.part("mask").text_content()))
    assert seen[0] == seen[1]
    assert seen[0][0] == ["12", *losses(SMALL, 12)]


def test_training_can_be_paused_resumed_and_started_again(player):
    player.open(SMALL.replace("pause=12", "pause=5000"))
    player.press("Train")
    expect(player.part("epoch")).not_to_have_text("0")
    player.press("Pause")
    player.wait()
    epoch = int(player.readings()[0])
    assert epoch > 0
    player.press("Train")
    expect(player.part("epoch")).not_to_have_text(str(epoch))
    player.press("Pause")
    player.wait()
    assert int(player.readings()[0]) > epoch
    player.press("Start again")
    player.wait()
    assert player.readings() == ["0", *losses(SMALL, 0)]


def test_a_run_ends(player):
    player.open("points=10&width=2&p=0,0&pause=5000&speed=fast")
    player.press("Train")
    player.wait()
    for name in ("Train", "One epoch"):
        expect(player.part("news")).to_contain_text("has reached its last epoch")
        assert player.readings()[0] == "5000"
        player.press(name)
        player.wait()
    player.press("Start again")
    expect(player.part("news")).to_be_empty()


def test_slow_and_fast_take_the_same_steps(player):
    seen = []
    for speed in ("slow", "fast"):
        player.open(SMALL.replace("pause=12", f"pause=3&speed={speed}"))
        player.press("Train")
        player.wait()
        seen.append(player.readings())
    assert seen == [["3", *losses(SMALL, 3)]] * 2


def test_pictures_table_and_words_show_the_run(player):
    player.open(SMALL)
    player.press("Train")
    player.wait()
    for name in ("full", "thinned", "average", "network", "curve"):
        canvas = player.part(name)
        assert colours_in(canvas) > 20
        assert len(canvas.get_attribute("aria-label")) > 40
    rows = player.page.locator(".play-scores tbody tr")
    train, test = losses(SMALL, 12)
    expect(rows.nth(0)).to_have_text(re.compile(rf"Full network\s*{train}\s*\d+ of 20\s*{test}\s*\d+ of 400"))
    assert len({row.inner_text().split("\t", 1)[1] for row in rows.all()}) == 3  # three different predictors
    expect(player.part("networks")).to_have_text("100")
    expect(player.part("mask")).to_have_text(re.compile(r"drops \d of 6 units in layer 1\.$"))
    said = player.part("said")
    expect(said).to_have_attribute("role", "status")  # a live region, polite
    expect(said).to_have_text(f"Epoch 12: loss {train} on the training points, {test} on the test points.")


# Settings and the address


def test_a_change_of_settings_starts_again_and_is_in_the_address(anywhere):
    anywhere.open(SMALL)
    anywhere.press("One epoch")
    anywhere.page.get_by_label("Shape").select_option("spirals")
    anywhere.page.get_by_label("Hidden layers").select_option("2")
    anywhere.page.get_by_label("p, layer 2").fill("0.35")
    anywhere.page.get_by_label("Scaling").select_option("classic")
    anywhere.page.get_by_label("Seed").fill("77")
    anywhere.page.get_by_label("Seed").press("Enter")
    expected = "data=spirals&noise=0.4&points=20&seed=77&width=6&p=0,0.5,0.35&mode=classic&rate=0.03&batch=10"
    expected += "&pause=12&speed=normal"
    anywhere.page.wait_for_url(re.compile("seed=77"))
    assert anywhere.state() == expected
    anywhere.wait()
    assert anywhere.readings() == ["0", *losses(expected, 0)]
    expect(anywhere.part("said")).to_contain_text("Epoch 0: loss")
    before = anywhere.table()
    anywhere.page.reload()
    anywhere.wait()
    assert anywhere.state() == expected
    assert anywhere.table() == before
    expect(anywhere.page.get_by_label("p, layer 2")).to_have_value("0.35")
    expect(anywhere.page.get_by_label("p, layer 3")).to_be_hidden()
    expect(anywhere.page.get_by_label("Scaling")).to_have_value("classic")


def test_changing_the_pace_keeps_what_was_trained(player):
    player.open(SMALL)
    player.press("One epoch")
    player.page.get_by_label("Speed").select_option("fast")
    player.page.get_by_label("Pause every").fill("5")
    player.page.get_by_label("Pause every").press("Enter")
    player.wait()
    assert player.readings()[0] == "1"
    player.press("Train")
    player.wait()
    assert player.readings() == ["5", *losses(SMALL, 5)]


def test_a_wrong_address_is_set_right_and_the_reader_is_told(player):
    player.open("noise=9&p=0,0.5&shape=star")
    complaints = player.part("complaints")
    expect(complaints).to_have_attribute("role", "status")
    expect(complaints.locator("p")).to_have_count(2)
    expect(complaints).to_contain_text("noise goes from 0 to 0.6 in steps of 0.05: “9” was set to 0.6.")
    expect(complaints).to_contain_text("There is no setting “shape”")
    expect(player.page.get_by_label("Noise")).to_have_value("0.6")
    player.page.get_by_label("Seed").fill("123456")
    player.page.get_by_label("Seed").press("Tab")
    expect(complaints.locator("p")).to_have_text(
        ["seed goes from 1 to 9999 in steps of 1: “123456” was set to 9999."]
    )
    expect(player.page.get_by_label("Seed")).to_have_value("9999")
    player.open(SMALL)
    expect(complaints).to_be_empty()


def test_links_set_the_playground_up_from_this_page_and_from_another(anywhere):
    anywhere.open()
    link = anywhere.page.get_by_role("link", name="Twenty points and no dropout")
    for _ in range(2):  # the second time the address stays the same
        link.click()
        expect(anywhere.part("run")).to_be_focused()
        anywhere.wait()
        expect(anywhere.page.get_by_label("Units per layer")).to_have_value("8")
        expect(anywhere.part("epoch")).to_have_text("0")
        expect(anywhere.page.locator("form.playground")).to_be_in_viewport()
        anywhere.press("One epoch")
        anywhere.wait()
    anywhere.page.goto(f"{anywhere.address}/chapters/01-coins.html")
    anywhere.page.get_by_role("link", name="a network", exact=True).click()
    anywhere.wait()
    expect(anywhere.page.get_by_label("Shape")).to_have_value("circles")
    expect(anywhere.page.get_by_label("p, layer 1")).to_have_value("0.3")
    expect(anywhere.page.locator("form.playground")).to_be_in_viewport()


def test_a_copied_link_leads_to_where_the_run_was(player):
    player.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    player.open(SMALL)
    for _ in range(3):
        player.press("One epoch")
    player.wait()
    seen = player.readings()
    player.press("Copy the link to this state")
    field = player.page.get_by_label("Link to this state")
    expect(field).to_be_focused()
    expect(player.part("news")).to_contain_text("presses Train arrives at epoch 3")
    address = field.input_value()
    player.page.goto("about:blank")
    player.page.goto(address)
    player.press("Train")
    player.wait()
    assert player.readings() == seen


def test_a_link_is_copied_where_the_browser_allows_it(browser, addresses):
    with playing(browser, addresses["http"], permissions=["clipboard-read", "clipboard-write"]) as player:
        player.open(SMALL)
        player.press("Copy the link to this state")
        expect(player.part("news")).to_have_text("The link is copied.")
        expect(player.part("link")).to_be_hidden()
        copied = player.page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f"{addresses['http']}/playground.html#data=moons&noise=0.4&points=20&seed=3")


# Other ways of reading


def tab_to(page, test, most=60):
    """Press Tab until the element with the focus passes a test."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"((element) => {test})(document.activeElement)"):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{test} does not show that it has the focus"
            return
    pytest.fail(f"Tab never reached {test}")


def test_everything_can_be_done_with_the_keyboard(player):
    player.open(SMALL)
    page = player.page
    tab_to(page, "element.dataset.play === 'run'", most=200)
    page.keyboard.press("Enter")
    player.wait()
    assert player.readings()[0] == "12"
    tab_to(page, "element.dataset.play === 'step'", most=2)
    page.keyboard.press("Space")
    player.wait()
    assert player.readings()[0] == "13"
    tab_to(page, "element.name === 'noise'")
    page.keyboard.press("ArrowLeft")
    player.wait()
    assert player.readings()[0] == "0"
    page.wait_for_url(re.compile(r"noise=0\.35"))
    tab_to(page, "element.name === 'layers'")
    page.keyboard.press("ArrowDown")
    tab_to(page, "element.name === 'p2'")
    page.keyboard.press("End")
    page.wait_for_url(re.compile(r"p=0,0\.5,0\.9|p=0%2C0\.5%2C0\.9"))
    tab_to(page, "element.name === 'speed'")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.closest('form.playground') !== null")  # and out again


MASKS_SEEN = """() => {
  const form = document.querySelector("form.playground");
  const seen = (window.seen = { training: new Set() });
  const note = () => form.dataset.state === "training" && seen.training.add(mask.textContent);
  const mask = document.querySelector('[data-play="mask"]');
  new MutationObserver(note).observe(mask, { childList: true, characterData: true, subtree: true });
}"""


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_masks_flicker_only_for_those_who_want_movement(browser, addresses, motion):
    state = "points=20&seed=3&width=24&p=0.5,0.5,0.5&pause=4&speed=slow"
    with playing(browser, addresses["file"], reduced_motion=motion) as player:
        player.open(state)
        before = player.part("mask").text_content()
        player.page.evaluate(MASKS_SEEN)
        player.press("Train")
        player.wait()
        during = set(player.page.evaluate("[...window.seen.training]"))
        if motion == "reduce":
            assert during <= {before}
        else:
            assert len(during - {before}) >= 2
        assert player.part("mask").text_content() != before  # at rest everybody sees the last one


def test_nothing_moves_before_one_asks_for_it(player):
    player.open(SMALL)
    assert player.readings()[0] == "0"
    expect(player.part("run")).to_have_text("Train")


def test_without_javascript_the_reader_is_told_what_is_missing(browser, addresses):
    with playing(browser, addresses["file"], java_script_enabled=False) as player:
        player.page.goto(f"{addresses['file']}/playground.html")
        expect(player.page.get_by_text("it needs JavaScript, which is off here")).to_be_visible()
        expect(player.page.locator("form.playground")).to_be_hidden()  # nothing that would do nothing
        expect(player.page.get_by_text("Here is the playground.")).to_be_visible()


def contrast(one, other):
    """The contrast ratio of WCAG 2.2 between two colours of 8 bits a channel."""

    def luminance(colour):
        linear = [
            v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURS = """() => {
  const form = document.querySelector("form.playground");
  const context = document.createElement("canvas").getContext("2d");
  return Object.fromEntries(["a", "b", "ground", "ink", "faint"].map((name) => {
    context.fillStyle = getComputedStyle(form).getPropertyValue(`--play-${name}`);
    context.fillRect(0, 0, 1, 1);
    return [name, [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)];
  }));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_stand_out_from_the_ground(browser, addresses, scheme):
    with playing(browser, addresses["file"], color_scheme=scheme) as player:
        player.open(SMALL)
        colours = player.page.evaluate(COLOURS)
        ground = colours.pop("ground")
        assert {name: contrast(colour, ground) >= 3 for name, colour in colours.items()} == dict.fromkeys(
            colours, True
        )


def test_pictures_follow_the_theme(player):
    player.open(SMALL)
    corner = """([name]) => [...document.querySelector(`[data-play="${name}"]`).getContext("2d")
      .getImageData(2, 2, 1, 1).data].slice(0, 3)"""
    light = player.page.evaluate(corner, ["full"])
    player.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    player.page.wait_for_timeout(100)
    dark = player.page.evaluate(corner, ["full"])
    assert sum(light) > 2 * sum(dark)


@pytest.mark.parametrize(
    ("state", "press"),
    [(f"{SMALL}&noise=7", None), (SMALL.replace("p=0,0.5", "p=0.1,0.5,0.2,0.3"), "Train")],
    ids=["set right", "trained"],
)
def test_axe_finds_nothing_and_no_page_is_wider_than_its_screen(browser, addresses, state, press):
    with playing(browser, addresses["file"], reduced_motion="reduce") as player:
        player.open(state)
        if press:
            player.press(press)
            player.wait()
            player.press("Copy the link to this state")
            expect(player.part("news")).not_to_be_empty()
        player.page.mouse.move(0, 0)
        for scheme, viewport in CORNERS:
            corner = look(player.page, scheme, viewport)
            player.wait()
            assert violations_on(player.page) == [], corner
            assert player.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
