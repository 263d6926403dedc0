"""The world outside: each package here implements ports and knows one thing that we didn't write."""
