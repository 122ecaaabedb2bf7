"""Building blocks of neural networks: layers, optimizers, models, and the tools to train and check them."""
