"""Tests of console.downlinks."""
