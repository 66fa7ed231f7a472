"""The pages in a real browser: nothing sticks out on a phone, nothing is fetched, page one prints on one sheet."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from report_samples import STORIES, make_contents

from pilotbase.report.pages import render

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--virtual-time-budget=2000",
)  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


def browse(page: Path, width: int, *more: str) -> str:
    """Return what the browser prints of a page."""
    profile = page.parent / "profile"
    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},900", *more, page.as_uri()],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.stdout


def measured(html: str) -> str:
    """Return the page with a script that writes how wide it is; only for the test is its policy taken away."""
    bare = re.sub(r"<meta http-equiv=.Content-Security-Policy.[^>]*>", "", html)
    assert bare != html
    script = "<script>document.title='wide '+document.documentElement.scrollWidth+' of '+innerWidth</script>"
    return bare.replace("</body>", f"{script}</body>")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [500, 1200])
def test_nothing_sticks_out(tmp_path: Path, language: str, width: int) -> None:
    page = tmp_path / "page.html"
    page.write_text(measured(render(make_contents("rejected"), language)), encoding="utf-8")  # type: ignore[arg-type]
    found = re.search(r"<title>wide (\d+) of (\d+)</title>", browse(page, width, "--dump-dom"))
    assert found is not None
    assert int(found[1]) <= int(found[2])


def test_every_story_is_drawn(tmp_path: Path) -> None:
    """A picture of page one: neither empty nor all of one colour, so it does not compress to nothing."""
    for story in STORIES:
        page, shot = tmp_path / "page.html", tmp_path / "shot.png"
        page.write_text(render(make_contents(story), "zh"), encoding="utf-8")
        browse(page, 1200, f"--screenshot={shot}")
        assert shot.stat().st_size > 20_000, story
