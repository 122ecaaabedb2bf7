"""All that an author of checks imports: criteria, comparing, numeric gradients, the Pack."""
