"""A local AWS for the tests and the demo: MiniStack with TLS and policies enforced."""
