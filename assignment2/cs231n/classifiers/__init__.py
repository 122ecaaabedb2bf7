"""Whole networks: a loss and its gradients, from scores and parameters."""

from cs231n.classifiers.fc_net import FullyConnectedNet, TwoLayerNet

__all__ = ["FullyConnectedNet", "TwoLayerNet"]
