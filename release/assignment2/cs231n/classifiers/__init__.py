"""Networks: their parameters, their losses, and the gradients of these."""
