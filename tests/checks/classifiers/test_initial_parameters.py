"""The mistakes in drawing initial weights are recognised."""

import numpy as np
import pytest

from autograder.checks.classifiers.initial_parameters import name_draw_mistake


class TestHowWeightsWereDrawn:
    @pytest.mark.parametrize(
        "draw, name",
        [
            (lambda rng, scale: rng.normal(size=(60, 50)), "net_init_scale_ignored"),
            (lambda rng, scale: rng.normal(size=(60, 50)) / 60**0.5, "net_init_scale_ignored"),
            (lambda rng, scale: rng.normal(scale=scale**2, size=(60, 50)), "net_init_scale_squared"),
            (lambda rng, scale: rng.normal(scale=scale**0.5, size=(60, 50)), "net_init_variance"),
            (lambda rng, scale: rng.uniform(0, scale, size=(60, 50)), "net_init_uniform"),
            (lambda rng, scale: rng.uniform(-scale, scale, size=(60, 50)), "net_init_uniform"),
            (lambda rng, scale: np.full((60, 50), scale), "net_init_alike"),
            (lambda rng, scale: rng.normal(scale=10 * scale, size=(60, 50)), None),
            (lambda rng, scale: rng.normal(scale=scale**3, size=(60, 50)), None),
        ],
    )
    @pytest.mark.parametrize("seed", range(5))
    def test_it_is_named_where_it_is_known(self, draw, name, seed):
        rng = np.random.default_rng(seed)
        assert name_draw_mistake(draw(rng, 0.3), draw(rng, 0.6), 0.3) == name
