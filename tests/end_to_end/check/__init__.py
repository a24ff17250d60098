"""Each way to break the set-up is found by one command, which names that link and no other.

It has a local AWS of its own, since it breaks it.
"""
