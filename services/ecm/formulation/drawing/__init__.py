"""Timeline and family tree as SVG; pure functions."""
