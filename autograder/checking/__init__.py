"""The modules that an author of checks imports: criteria, comparisons, numeric gradients, the Pack."""
