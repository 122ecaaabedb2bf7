"""Building blocks of neural networks: layers, optimizers, models, and the tools to train and check them."""

import os

# Threads of NumPy's BLAS wait for their next product by asking for it again and again, for some 30 milliseconds, and
# the fast layers' threads have to share the processors with them. 2**16 cycles of waiting are enough. BLAS reads this
# when NumPy is imported for the first time: whoever imports cs231n before NumPy trains faster.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "16")
