"""Behind `cs231n/fast_layers.py`: convolution and max pooling, once with NumPy and once compiled.

Start with `im2col.py` and `numpy_backend.py`, which hold the whole idea in two pages. `cython_backend.pyx` is for
readers who want to know how a processor likes its numbers.
"""
