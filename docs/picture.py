"""Draws docs/report.png: the report of a sick example, as a browser shows it. Run by `make picture`.

Needs Debian's chromium and the playwright package.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
EXAMPLE = Path("examples", "sick", "learning_rate_too_high.py")
WIDTH, HEIGHT = 1180, 1510


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("docs/picture.py: chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        command = [sys.executable, "-m", "limen", "run", "--quiet", "--report", report, EXAMPLE]
        subprocess.run(command, check=True, cwd=HERE.parent)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto(report.as_uri())
            page.wait_for_timeout(2000)
            page.screenshot(path=HERE / "report.png")
            browser.close()


if __name__ == "__main__":
    main()
