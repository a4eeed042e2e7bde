"""The stages of `scripts/test`: one command each, bounded in time, counted by its report."""
