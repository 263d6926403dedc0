"""The desks, tested by what their users are promised, on every storage."""
