"""The pages contain every result, escape every text, and a real browser runs nothing that a student wrote."""

import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from autograder.report import html
from autograder.report.model import CriterionResult, Diagnosis, QuestionResult, Report
from autograder.report.verdicts import MEANINGS, SYMBOLS, VERDICTS
from autograder.runtime.text import make_printable
from tests.browser import new_tab

in_a_browser = pytest.mark.xdist_group("pages in a browser")  # one process, so that one browser starts

NETS = ["TwoLayerNet", "FullyConnectedNet"]
LAYERS = ["affine_forward", "affine_backward", "relu_forward", "relu_backward", "softmax_loss", "svm_loss"]
IDS = [*LAYERS, *NETS, "sgd_momentum", "rmsprop", "adam"]
PICTURE = {"ours": [[1.0, None]], "theirs": [[1.0, 2.0]], "wrong": [[False, True]], "labels": ["measured", "yours"]}
PICTURE["caption"] = "dw, shape (1, 2)"
CODE = """def affine_backward(dout, cache):
    x, w = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout) / 2  # since TwoLayerNet came out right
    return dx, dw, np.sum(dout, axis=0)
"""
STRONG = {"name": "bubblewrap", "strong": True, "text": "No network, nothing to write to."}
WEAK = {"name": "plain", "strong": False, "text": "bubblewrap cannot run here, so only limits hold."}
HOSTILE = (
    "<script>window.hacked = 1; alert(1)</script>",
    "<img src=x onerror='window.hacked=1'> javascript:alert(1)",
    "\"'><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %} \x1b[31mred\x1b[0m \x1b]0;title\x07\x00\x07",
    "</style></title><script>alert(2)</script>",
    "\u202egnp.exe\ud800",
)


def heat_map(picture):
    """Return a figure with a caption, in place of the heat map of the check pack."""
    return f"<figure>{escape(picture['caption'])}</figure>"


def question(name, verdict="passed", points=5.0, **fields):
    """Return a result of a question with two criteria; the second criterion has the verdict."""
    values = CriterionResult("values", "The output equals the reference's.", "passed", 2, 2, max_rel_error=2.1e-12)
    dw = CriterionResult("dw", "dw equals the measured slope of your own forward.", verdict, max(0, points - 2), 3)
    if verdict == "failed":
        dw.message = "affine_backward(dout, cache) gave dw[96, 3] = 0.1, the measured slope is 0.2."
        dw.max_rel_error, dw.worst_index, dw.near, dw.picture = 0.5, [96, 3], True, PICTURE
    fields["criteria"] = [values, dw]
    return QuestionResult(name, f"About {name}", "FullyConnectedNets", points, 5.0, verdict, seconds=0.4, **fields)


def report(student, strong=True, **broken):
    """Return a report.

    - broken: {question id: verdict}; all other questions have passed
    """
    questions = []
    for name in IDS:
        verdict = broken.get(name, "passed")
        fields = {"needs": ["affine_forward", "affine_backward"], "hint": "Draw the shapes first."}
        if verdict == "failed":
            fields["diagnosis"] = [
                Diagnosis("factor", "dw is half of what it should be", "Every entry is 0.5 times the slope."),
                Diagnosis("axis", "a mean for a sum", "A mean over the examples gives this too."),
            ]
            fields["code"] = {"file": "cs231n/layers.py", "line": 31, "text": CODE}
            fields["output"] = "debug: (120, 7)\n" * 3
        points = {"passed": 5.0, "failed": 2.0}.get(verdict, 0.0)
        questions.append(question(name, verdict, points, **fields))
    submission = {"student": student, "name": f"{student}.zip", "digest": "ab" * 32, "files": ["layers.py", "optim.py"]}
    submission["notes"] = ["optim.py is graded in place of optimizers.py."]
    kit = {"version": "1.0", "digest": "c0ffee" * 10, "python": "3.11.7", "numpy": "2.4.6"}
    isolation = dict(STRONG if strong else WEAK)
    return Report("assignment2", submission, isolation, 231, kit, questions, "2025-04-01T12:00:00+00:00", 12.5)


def sample_class():
    """Return the reports of eight students, in which every verdict occurs."""
    unwritten = dict.fromkeys(IDS[5:], "missing") | {"FullyConnectedNet": "blocked"}
    return [
        report("ada"),
        report("bo chen", affine_backward="failed", TwoLayerNet="blocked", FullyConnectedNet="blocked"),
        report("李小龍", TwoLayerNet="failed", FullyConnectedNet="timeout", adam="failed"),
        report('d\'Arcy "dd"', **unwritten),
        report("endless", softmax_loss="timeout", svm_loss="memory", rmsprop="error"),
        report("cheat", **dict.fromkeys(IDS, "forbidden")),
        report("<script>alert(1)</script>", adam="grader_fault", rmsprop="skipped"),
        report("zoë", **dict.fromkeys(IDS, "missing")),
    ]


def hostile_report():
    """Return a report in which every text contains all of HOSTILE."""
    hostile_text = " ".join(HOSTILE)
    bad = report(hostile_text[:60], strong=False, adam="failed")
    bad.submission |= {"name": hostile_text, "notes": list(HOSTILE), "files": list(HOSTILE)}
    bad.isolation["text"] = hostile_text
    for one in bad.questions:
        one.title = one.hint = one.output = hostile_text
        one.code = {"file": hostile_text, "line": 1, "text": "\n".join(HOSTILE) + '\nx = """\n' + hostile_text}
        one.diagnosis = [Diagnosis(hostile_text, hostile_text, hostile_text)]
        for criterion in one.criteria:
            criterion.name = criterion.text = criterion.message = hostile_text
    bad.questions[0].id = '"><script>alert(3)</script>'
    return bad


class Tags(HTMLParser):
    """Collects every element with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_class_page_names_every_student_and_links_to_the_questions():
    page = html.render_class_page(sample_class())
    links = [attrs["href"] for tag, attrs in Tags(page).found if tag == "a"]
    assert unquote(links[0]) == "ada/index.html"
    assert "bo%20chen/index.html#affine_backward" in links
    assert any(unquote(link) == "李小龍/index.html#adam" for link in links)
    assert len(links) == 8 * (1 + len(IDS))


def test_every_verdict_has_its_own_symbol_and_meaning():
    assert set(SYMBOLS) == set(MEANINGS) == set(VERDICTS)
    assert len(set(SYMBOLS.values())) == len(VERDICTS)


def test_class_page_shows_means():
    page = html.render_class_page(sample_class()[:2])
    assert "<dd>48.5<small> / 55</small>" in page  # (55 + 42) / 2
    assert "<b>3.5</b><br><i>of 5</i>" in page  # affine_backward: (5 + 2) / 2


def test_weak_isolation_has_a_notice():
    assert "Weak isolation" not in html.render_class_page([report("a")])
    assert "1 of 2 submissions" in html.render_class_page([report("a"), report("b", strong=False)])
    assert "bubblewrap cannot run here" in html.render_student_page(report("b", strong=False), heat_map)


def test_class_page_names_different_kits_and_answers_to_grade_by_hand():
    other = report("b", adam="grader_fault", rmsprop="skipped")
    other.kit["digest"] = "beef"
    page = html.render_class_page([report("a"), other])
    assert "Different kits" in page and "Grade these by hand" in page and "Skipped" in page


def test_class_page_works_for_an_empty_class_and_unequal_questions():
    assert "<dd>0<small> / 0</small>" in html.render_class_page([])
    short = report("short")
    short.questions = short.questions[:3]
    assert "not in this report" in html.render_class_page([report("long"), short])


def test_student_page_opens_failed_questions_and_closes_passed_ones():
    page = html.render_student_page(sample_class()[1], heat_map)
    details = {attrs["id"]: "open" in attrs for tag, attrs in Tags(page).found if attrs.get("class") == "question"}
    assert details["affine_backward"] and details["TwoLayerNet"] and not details["affine_forward"]


def test_student_page_contains_the_diagnosis_and_the_data_to_reproduce_it():
    page = html.render_student_page(sample_class()[1], heat_map)
    for text in ("Most likely: dw is half", "Draw the shapes", "5.0e-01", "[96, 3]", "close to its bound", "debug: ("):
        assert text in page
    assert "<figure>dw, shape (1, 2)</figure>" in page
    assert "counter-reset:line 30" in page and page.count('class="line"') == CODE.count("\n")
    for text in ("seed 231", "c0ffee", "3.11.7", "2.4.6", "2025-04-01", "optim.py is graded in place"):
        assert text in page


def test_fragment_needs_no_style_sheet():
    text = html.render_question(sample_class()[1].question("affine_backward"), heat_map)
    tags = Tags(text).found
    assert not any(tag in ("style", "script", "link") or "class" in attrs for tag, attrs in tags)
    assert "<b>2</b> of 5 points" in text and "✗" in text and "Most likely" in text and "<figure>" in text


def test_terminal_sequences_are_removed_and_other_control_characters_become_visible():
    assert make_printable("\x1b[1;31mred\x1b[0m\x1b]0;t\x07 a\r\nb\rc\x00\x7f") == "red a\nb\nc‹U+0000›‹U+007F›"
    assert make_printable("\u202eabc\ud800 李\u3000龍 👩\u200d🔬") == "‹U+202E›abc� 李 龍 👩\u200d🔬"


def test_nothing_hostile_becomes_an_element():
    def rendered(one):
        fragments = [html.render_question(question, heat_map) for question in one.questions]
        return [html.render_student_page(one, heat_map), *fragments, html.render_class_page([one])]

    bad, harmless = hostile_report(), report("x", strong=False, adam="failed")
    for one in harmless.questions:
        one.diagnosis, one.output = [Diagnosis("", "", "")], "x"
        one.code = {"file": "", "line": 1, "text": ""}
    assert all("{{ 7*7 }}{% raw %}" in page for page in rendered(bad)[:-1])
    for page, model in zip(rendered(bad), rendered(harmless), strict=True):
        page.encode()  # no lone surrogate is left
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", page)
        assert {tag for tag, _ in Tags(page).found} <= {tag for tag, _ in Tags(model).found} | {"span"}
        for _, attributes in Tags(page).found:
            assert not any(name.startswith("on") for name in attributes)
            assert not attributes.get("href", "").startswith("javascript:")


def test_the_security_policy_allows_only_the_script_of_the_page():
    pages = html.render_class_page([report("a")]), html.render_student_page(report("a"), heat_map)
    metas = [attributes for page in pages for tag, attributes in Tags(page).found if tag == "meta"]
    of_class, of_student = (meta["content"] for meta in metas if meta.get("http-equiv") == "Content-Security-Policy")
    assert of_class.startswith("default-src 'none'") and "script-src 'sha256-" in of_class
    assert of_student.startswith("default-src 'none'") and "script" not in of_student


@pytest.mark.parametrize("student", ["..", ".", "../a", "a\\b", "index.html", "a\0b"])
def test_no_student_id_gives_a_file_outside_the_folder(student, tmp_path):
    html.write_class_pages([report(student)], tmp_path / "reports", heat_map)
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
    assert len(list(tmp_path.glob("reports/*/index.html"))) == 1


def test_every_link_of_a_written_class_leads_to_a_file(tmp_path):
    html.write_class_pages([*sample_class(), hostile_report(), report("50% #1?.html")], tmp_path, heat_map)
    pages = [path.resolve() for path in (tmp_path / "index.html", *tmp_path.glob("*/*.html"))]
    tags = {page: Tags(page.read_text(encoding="utf-8")).found for page in pages}
    ids = {page: {attrs.get("id") for _, attrs in found} for page, found in tags.items()}
    for page, found in tags.items():
        for tag, attrs in found:
            if tag == "a":
                target, _, anchor = attrs["href"].partition("#")
                file = (page.parent / unquote(target)).resolve() if target else page
                assert file in ids
                assert not anchor or unquote(anchor) in ids[file]


@pytest.mark.uncounted
def test_a_large_class_fits_one_page():
    one = report("x")
    one.questions = [question(f"question_{n}") for n in range(40)]
    page = html.render_class_page([one] * 1000)
    assert page.count("<tr>") == 1002 and len(page) < 20_000_000


def test_the_renderer_names_no_package_of_an_assignment():
    folder = Path(html.__file__).parent
    for file in (Path(html.__file__), *(folder / "templates").iterdir()):
        assert "cs231n" not in file.read_text(encoding="utf-8")


@pytest.fixture
def tab(browser):
    with new_tab(browser) as page:
        yield page


@in_a_browser
def test_a_browser_runs_nothing_that_a_student_wrote(tab, tmp_path):
    bad = hostile_report()
    bad.questions = [bad.questions[0], bad.questions[-1]]  # a passed and a failed one; the others are like them
    html.write_class_pages([bad, report("ada")], tmp_path, heat_map)
    files = [tmp_path / "index.html", tmp_path / html.make_folder_name(bad) / "index.html", tmp_path / "fragment.html"]
    fragments = [html.render_question(question, heat_map) for question in bad.questions]
    files[2].write_text("<meta charset=utf-8>" + "".join(fragments))
    for file in files:
        tab.goto(file.as_uri())
        for summary in tab.locator("summary").all():
            summary.click()
        assert tab.events == [tab.url]  # the page itself and nothing else
        assert tab.evaluate("window.hacked") is None
        tab.events.clear()


@in_a_browser
def test_the_security_policy_stops_html_that_was_not_escaped(tab, tmp_path):
    unescaped = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    (tmp_path / "page.html").write_text(
        html.render_student_page(report("a", adam="failed"), lambda _: unescaped), encoding="utf-8"
    )
    tab.goto((tmp_path / "page.html").as_uri())
    assert tab.locator("main img").count() == 1
    assert tab.evaluate("window.hacked") is None


@in_a_browser
def test_a_click_sorts_and_a_key_reverses_the_order(tab, tmp_path):
    html.write_class_pages(sample_class(), tmp_path, heat_map)
    tab.goto((tmp_path / "index.html").as_uri())
    scores = "[...document.querySelectorAll('tbody td.score')].map(cell => +cell.dataset.points)"
    assert tab.evaluate(scores) == [55, 42, 44, 25, 40, 0, 45, 0]
    button = tab.locator("thead button", has_text="score")
    button.click()
    assert tab.evaluate(scores) == [0, 0, 25, 40, 42, 44, 45, 55]
    assert tab.locator("th[aria-sort=ascending]").inner_text().startswith("score")
    button.press("Enter")
    assert tab.evaluate(scores) == [55, 45, 44, 42, 40, 25, 0, 0]
    tab.locator("thead button", has_text="student").click()
    assert tab.locator("tbody th").all_inner_texts()[1:4] == ["ada", "bo chen", "cheat"]
    tab.locator("tbody tr", has_text="bo chen").locator("td a").nth(1).click()
    assert unquote(tab.url).endswith("/bo chen/index.html#affine_backward")
