"""Names of older editions of this assignment, and what to say where code still uses them."""

# (regular expression for what the exception says, advice for the student)
ADVICE = (
    (
        r"name '((?:im2col|col2im)_\w+|(?:conv|max_pool)_\w+_(?:im2col|strides|reshape))'",
        r"\1 belonged to an older edition; call conv_forward_fast or max_pool_forward_fast and their backward "
        "functions, or hand the helper in under a file name of your own",
    ),
)
