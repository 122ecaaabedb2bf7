"""The fuzz: thousands of broken submissions, made from a seed, which must never crash the judge."""
