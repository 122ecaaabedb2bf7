"""What is timed: convolutions, poolings, and an epoch of training, each in both precisions."""

CONVOLUTIONS = {  # N, C, H = W, F, HH = WW, stride, pad
    "100,3,31,25,3,2,1": (100, 3, 31, 25, 3, 2, 1),
    "50,3,32,32,7,1,3": (50, 3, 32, 32, 7, 1, 3),
    "100,32,32,32,3,1,1": (100, 32, 32, 32, 3, 1, 1),
    "500,3,32,32,7,1,3": (500, 3, 32, 32, 7, 1, 3),
}
POOLINGS = {  # N, C, H = W, window, stride
    "100,32,32 by 2×2, stride 2": (100, 32, 32, 2, 2),
    "100,32,33 by 3×3, stride 2": (100, 32, 33, 3, 2),
}
EPOCH = {"images": 500, "batch": 50, "filters": 32, "filter_size": 7, "hidden": 100}
TYPES = ("float64", "float32")


def all_cases():
    """Yield (kind, name, type of number)."""
    for kind, names in (("convolution", CONVOLUTIONS), ("pooling", POOLINGS), ("epoch", [EPOCH_NAME])):
        for name in names:
            for dtype in TYPES:
                yield kind, name, dtype


EPOCH_NAME = "ThreeLayerConvNet, {images} images, batch {batch}".format(**EPOCH)
