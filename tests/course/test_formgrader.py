"""formgrader, nbgrader's own page in JupyterLab: it lists the class and shows the judge's reports."""

import json

from autograder.grade_class import grade_class
from tests.formgrader import fetch, served


def test_formgrader_lists_the_class_and_shows_the_report_of_a_wrong_gradient(tmp_path, make_course, hand_in):
    course = make_course(tmp_path)
    hand_in(course, "chen", "failed_dw_averaged")
    grade_class(course)
    with served(course) as address:
        (assignment,) = json.loads(fetch(f"{address}/formgrader/api/assignments"))
        assert assignment["name"] == "assignment2" and assignment["num_submissions"] == 1
        listed = fetch(f"{address}/formgrader/api/submitted_notebooks/assignment2/FullyConnectedNets")
        (submission,) = json.loads(listed)
        assert submission["student"] == "chen" and 0 < submission["code_score"] < submission["max_code_score"]
        page = fetch(f"{address}/formgrader/submissions/{submission['id']}/")
        assert "dw is wrong in" in page and "<svg" in page
