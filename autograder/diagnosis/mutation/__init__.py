"""Wrong versions of right code: each with one small mistake, made by an operator."""
