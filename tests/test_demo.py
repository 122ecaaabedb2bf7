"""The demo's course: made from the sample submissions, in a folder of its own."""

from autograder.samples.demo_course import make_course


def test_the_demo_makes_a_class_of_seven_beside_the_real_course(tmp_path):
    course = make_course(tmp_path / "demo")
    assert course.students() == ["ada", "ben", "chen", "dora", "eli", "fay", "gus"]
    assert course.root == tmp_path / "demo" and course.release.is_dir()
    assert (course.submitted("ada") / "FullyConnectedNets.ipynb").is_file()


def test_making_it_again_starts_the_class_afresh(tmp_path):
    course = make_course(tmp_path)
    (course.submitted("zoe") / "cs231n").mkdir(parents=True)
    assert "zoe" not in make_course(tmp_path).students()
