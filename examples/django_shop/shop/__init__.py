"""A web shop in Django that sells by click and collect."""
