"""The pictures of `thalweg schemes`."""
