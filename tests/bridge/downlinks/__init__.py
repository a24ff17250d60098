"""Tests of ``bridge.downlinks``."""
