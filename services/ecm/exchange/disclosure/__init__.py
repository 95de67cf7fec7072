"""What is asked of `disclose()`, by whom, and how it finds what may leave. Called by `audit.writers`, for `release`."""
