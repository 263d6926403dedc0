"""Why not: trees of reasons for what is refused, as data, and as sentences in several languages."""
