"""Tests of ``console.simulate``."""
