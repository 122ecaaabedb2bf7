"""The demo course: made from the sample submissions, in its own folder."""

import pytest

from autograder.samples.demo_course import make_course


@pytest.mark.uncounted
def test_the_demo_makes_a_class_of_seven_beside_the_real_course_and_starts_it_afresh_when_it_is_made_again(tmp_path):
    (make_course(tmp_path / "demo").submitted("zoe") / "cs231n").mkdir(parents=True)
    course = make_course(tmp_path / "demo")
    assert course.students() == ["ada", "ben", "chen", "dora", "eli", "fay", "gus"]
    assert course.root == tmp_path / "demo" and course.release.is_dir()
    assert (course.submitted("ada") / "FullyConnectedNets.ipynb").is_file()
