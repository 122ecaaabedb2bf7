"""The two backends of `cs231n/fast_layers.py`: convolution and max pooling with NumPy, and compiled.

Start with `im2col.py` and `numpy_backend.py`, which explain the method in two pages. `cython_backend.pyx` shows how to
arrange the numbers so that a processor computes fast.
"""
