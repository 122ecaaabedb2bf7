"""A hostile submission through the whole pipeline: no page and no terminal runs anything that the student wrote.

Every page is opened in a real browser, including nbgrader's feedback and formgrader. The student's text must still be
readable.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

from autograder.course.nbgrader_runner import autograde
from autograder.course.preprocessors.harmless import MOST_TEXT
from autograder.errors import KitError
from autograder.release.publish import publish
from tests import payloads
from tests.browser import new_tab
from tests.courses import make_small_course
from tests.formgrader import HEADERS, fetch, served
from tests.terminal import on_a_terminal, plain

# One process, so that what they share is made once.
pytestmark = [pytest.mark.xdist_group("hostile reports"), pytest.mark.uncounted]

MATHJAX = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/2.7.7/latest.js?config=TeX-AMS_CHTML-full,Safe"
# The messages of nbgrader's pages if MathJax, which they request, is not available.
WITHOUT_MATHJAX = {MATHJAX, "Failed to load resource: net::ERR_FAILED", "MathJax is not defined"}
NBGRADERS_OWN = {"toggle_name(true);", "toggle_name(false);", "toggleAllNames()", "createStudentModal();"}
ATTACKER = payloads.IDS[1]

ACTIVE = """() => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  const found = [];
  for (const element of document.querySelectorAll('*')) {
    for (const kind of ['mouseover', 'focus', 'error', 'load'])
      if (element !== document.body) element.dispatchEvent(new Event(kind));
    for (const {name, value} of element.attributes) if (name.startsWith('on')) found.push(value);
    if (element.matches('iframe, object, embed, base, frame, foreignObject')) found.push(element.outerHTML);
    // A link to an attachment leads nowhere: no browser knows the scheme.
    if (element.matches('a') && !['file:', 'http:', 'https:', 'attachment:', ':'].includes(element.protocol))
      found.push(element.href);
    if (element.matches('img') && !element.src.startsWith('data:image/png;base64,')) found.push(element.outerHTML);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory, hand_in):
    """(a course graded on a terminal, (exit code, output)); chen, too, is in it, and has a wrong gradient."""
    folder = tmp_path_factory.mktemp("hostile")
    course = make_small_course(folder / "course", "FullyConnectedNets", ("affine_forward", "affine_backward"))
    released = publish(course, course.manifest)
    downloads = folder / "downloads"
    downloads.mkdir()
    shutil.move(hand_in(course, "chen", "failed_dw_averaged"), downloads / "chen" / "assignment2")
    shutil.rmtree(course.root / "submitted")
    payloads.write_zip(downloads / f"{ATTACKER}.zip", released)
    command = (sys.executable, "-m", "autograder", "grade", downloads, "--jobs", "1", "--course", course.root)
    told = on_a_terminal(*command)
    by_hand = course.submitted(payloads.FOLDER) / "FullyConnectedNets.ipynb"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_bytes(payloads.poisoned(released / "FullyConnectedNets.ipynb"))
    return course, told


def visit(tab, url, ignore=()):
    """Open a page, trigger all its handlers, and return its text; AssertionError if a script ran."""
    tab.events.clear()
    tab.goto(url)
    assert set(tab.evaluate(ACTIVE)) <= NBGRADERS_OWN
    tab.wait_for_load_state("networkidle")
    assert tab.evaluate("window.pwned") is None
    assert [event for event in tab.events if event != url and event not in ignore] == []
    return tab.evaluate("document.body.innerText")


def test_our_own_pages_show_it_all_and_run_nothing(graded, browser):
    course, _ = graded
    pages = sorted(course.reports.rglob("*.html"))
    assert len(pages) == 5  # the class page, and each student's page for the instructor and for the student
    with new_tab(browser, lambda url: url.startswith("file:")) as tab:
        texts = []
        for page in pages:
            texts.append(visit(tab, page.as_uri()))
            assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for text in (payloads.TAG, payloads.SCRIPT, payloads.BREAK_OUT, payloads.TEMPLATE, "‹U+202E›", "‹U+009B›"):
        assert any(text in shown for shown in texts), text
    assert ATTACKER in texts[pages.index(course.reports / "index.html")]


def test_nbgraders_feedback_shows_it_all_and_runs_nothing(graded, browser):
    course, _ = graded
    command = [sys.executable, "-m", "nbgrader", "generate_feedback", "assignment2", "--notebook=FullyConnectedNets"]
    done = subprocess.run(command, cwd=course.root, env=dict(os.environ), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = course.root / "feedback" / ATTACKER / "assignment2" / "FullyConnectedNets.html"
    with new_tab(browser, lambda url: url.startswith("file:")) as tab:
        shown = visit(tab, page.as_uri(), WITHOUT_MATHJAX)
        assert tab.locator("img").count() == 1  # the one picture that came with its cell and is nothing but a picture
        assert "bold" in tab.locator("strong").all_inner_texts()  # an ordinary text keeps its marks
    expect_the_notebook(shown)


def test_formgrader_lists_the_class_shows_it_all_and_runs_nothing(graded, browser):
    course, _ = graded
    with served(course) as address, new_tab(browser, lambda url: url.startswith(address), HEADERS) as tab:

        def look(path):
            tab.events.clear()
            fetched = f"{address}/formgrader/"
            tab.goto(f"{fetched}{path}")
            tab.wait_for_load_state("networkidle")
            assert set(tab.evaluate(ACTIVE)) <= NBGRADERS_OWN and tab.evaluate("window.pwned") is None
            assert [e for e in tab.events if not e.startswith(fetched) and e not in WITHOUT_MATHJAX] == []
            return tab.evaluate("document.body.innerText")

        assert payloads.FOLDER in look("manage_submissions/assignment2")
        listed = json.loads(fetch(f"{address}/formgrader/api/submitted_notebooks/assignment2/FullyConnectedNets"))
        assert sorted(submission["student"] for submission in listed) == sorted([ATTACKER, "chen"])
        found = {submission["student"]: submission for submission in listed}
        expect_the_notebook(look(f"submissions/{found[ATTACKER]['id']}/"))
        expect_a_wrong_gradient(address, found["chen"])


def expect_a_wrong_gradient(address, submission):
    """AssertionError unless formgrader lists the class and shows the judge's report of chen."""
    (assignment,) = json.loads(fetch(f"{address}/formgrader/api/assignments"))
    assert assignment["name"] == "assignment2" and assignment["num_submissions"] == 3
    assert 0 < submission["code_score"] < submission["max_code_score"]
    page = fetch(f"{address}/formgrader/submissions/{submission['id']}/")
    assert "dw is wrong in" in page and "<svg" in page


def expect_the_notebook(shown):
    """Raise AssertionError unless the whole text of the student is readable, with a blank after each `<` of a tag."""
    for text in (payloads.TAG, payloads.SCRIPT, payloads.BREAK_OUT):
        assert text.replace("<", "< ") in shown, text
    for text in (payloads.TEMPLATE, "ANSWER MARK", "5 < 6", "‹U+202E›", "\\begin{a}" * (MOST_TEXT // 10), "nowhere"):
        assert text in shown, text[:80]
    assert "affine_forward raised" in shown and payloads.TAG in shown  # the judge's report, where nothing is spaced


def test_the_terminal_is_told_nothing_but_text(graded):
    _, (code, sent) = graded
    assert code == 0, sent
    assert plain(sent)[0] == f"2 collected: chen, {ATTACKER}"


def test_an_id_that_would_act_in_formgrader_is_not_recorded(graded):
    course, _ = graded
    with pytest.raises(KitError, match="cannot be a student's id.*another name"):
        autograde(course, payloads.FOLDER, course.root / "submitted")
    assert not course.autograded(payloads.FOLDER).exists()
