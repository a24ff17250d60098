"""Asks for downlinks, and shows what becomes of them."""
