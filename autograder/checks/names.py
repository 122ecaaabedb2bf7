"""The names of this assignment: its vocabulary, and advice on names of older editions."""

from autograder.checking.pack import Vocabulary

# (regular expression for the text of the exception, advice for the student)
ADVICE = (
    (
        r"name '((?:im2col|col2im)_\w+|(?:conv|max_pool)_\w+_(?:im2col|strides|reshape))'",
        r"\1 belonged to an older edition; call conv_forward_fast or max_pool_forward_fast and their backward "
        "functions, or hand the helper in under a file name of your own",
    ),
)

_CONFUSABLE = (
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

VOCABULARY = Vocabulary(
    confusable_names=tuple(frozenset(names.split()) for names in _CONFUSABLE),
    usual_values={
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
    },
    parameter_prefixes={"W": "b", "b": "W", "gamma": "beta", "beta": "gamma"},
    signed_names=("d*", "loss", "next_w", "out"),
    caching_functions=("*_forward*",),
    cache_name="cache",
)
