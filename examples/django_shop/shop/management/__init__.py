"""What operators call."""
