"""Advice for code that uses names of older editions of this assignment."""

# (regular expression for the message of the exception, advice for the student)
ADVICE = (
    (
        r"name '((?:im2col|col2im)_\w+|(?:conv|max_pool)_\w+_(?:im2col|strides|reshape))'",
        r"\1 belonged to an older edition; call conv_forward_fast or max_pool_forward_fast and their backward "
        "functions, or submit the helper in a file with a name of your own",
    ),
)
