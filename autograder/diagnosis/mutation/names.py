"""Mutation operators on names and settings: one of the same kind in its place, or the usual value written in."""

import ast

from autograder.diagnosis.mutation.operators import changed, name_of, operator, plus

# Names that are easily taken for each other.
KIN = [
    set(names.split())
    for names in (
        "gamma beta",
        "dgamma dbeta",
        "mean var",
        "running_mean running_var",
        "mean running_mean",
        "H W",
        "HH WW",
        "H_out W_out",
        "height width",
        "rows columns",
        "i j",
        "stride pad",
        "beta1 beta2",
        "m v",
        "m_hat v_hat",
        "W1 W2 W3",
        "b1 b2 b3",
        "W1 b1",
        "x w",
        "dx dw",
        "dW db",
        "dx_hat x_hat",
        "centered x_hat",
        "x x_pad",
        "inputs outputs",
        "hidden_dim num_classes",
        "hidden_dim input_dim",
        "hidden pooled",
        "dhidden dscores",
        "dhidden dpooled",
        "scores_cache hidden_cache",
        "conv_cache hidden_cache",
        "layer last",
        "pool_height pool_width",
        "train test",
        "learning_rate momentum",
        "learning_rate decay_rate",
        "window x_pad",
        "velocity dw",
    )
]


def _kin(name):
    return sorted(set().union(*(group for group in KIN if name in group)) - {name})


@operator(ast.Name)
def name_swapped(node, scope):
    """name of the same kind"""
    if isinstance(node.ctx, ast.Load):
        for name in _kin(node.id):
            if name in scope.bound:  # any other is only a NameError
                yield changed(node, id=name)


@operator(ast.Constant)
def key_swapped(node, scope):
    """name of the same kind"""
    if isinstance(node.value, str):
        for name in _kin(node.value):
            yield ast.Constant(name)


@operator(ast.JoinedStr)
def layer_mistaken(node, scope):
    """another layer's name"""
    prefix, number = node.values
    other = {"W": "b", "b": "W", "gamma": "beta", "beta": "gamma"}[prefix.value]
    yield changed(node, values=[ast.Constant(other), number])
    yield changed(node, values=[prefix, changed(number, value=plus(number.value, -1))])


# What a setting is by default, or in the notebooks; code that was tried with nothing else may have it written in.
USUAL = {
    "eps": 1e-5,
    "momentum": 0.9,
    "learning_rate": 1e-2,
    "decay_rate": 0.99,
    "epsilon": 1e-8,
    "beta1": 0.9,
    "beta2": 0.999,
    "p": 0.5,
    "stride": 1,
    "pad": 1,
    "height": 2,
    "width": 2,
    "G": 2,
    "C": 3,
    "reg": 1.0,
    "weight_scale": 1e-3,
    "filter_size": 3,
}


@operator(ast.Name, ast.Attribute, ast.Subscript)
def setting_ignored(node, scope):
    """setting ignored"""
    key = node.slice.value if isinstance(getattr(node, "slice", None), ast.Constant) else name_of(node)
    read = isinstance(node.ctx, ast.Load) and (not isinstance(node, ast.Attribute) or key == "reg")
    if read and key in USUAL:
        yield ast.Constant(USUAL[key])
