"""Tests of the examples in the documents."""
